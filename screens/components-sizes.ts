import type {HostReport} from '../source/app/services.ts';
import type {Size} from '../source/blueprints/blueprint.ts';
import {type Part, sumOf} from '../source/blueprints/sizes.ts';
import type {Row} from '../source/components/row.ts';
import type {Deployment} from '../source/deployment/schema.ts';
import {sizeAside} from './size-text.ts';

/** What all of it takes, and below it what the machines have; what is not enough is said in words. */
export const sumRows = (
  {hosts}: Deployment,
  parts: readonly Part[],
  reports: Readonly<Record<string, HostReport>>,
): readonly Row[] => {
  const sum = sumOf(parts.map(({size}) => size));
  const computing = hosts.filter(({roles}) => roles.includes('compute'));
  return [
    {kind: 'fact', id: 'sum', label: 'All of it, about', value: 'with the ground', aside: sizeAside(sum)},
    ...(computing.length > 0 ? computing : hosts).map((host): Row => {
      const has = sizeOfHost(reports[host.name]);
      const label = `${host.name} has`;
      if (!has) return {kind: 'fact', id: `has-${host.name}`, label, value: 'not looked at in this session'};
      const short = shortOf(sum, has);
      return {
        kind: 'fact',
        id: `has-${host.name}`,
        label,
        value: short === '' ? '' : `! too little ${short}`,
        aside: sizeAside(has),
      };
    }),
  ];
};

const gibi = 1024 ** 3;

const sizeOfHost = (report: HostReport | undefined): Size | undefined => {
  if (report?.state !== 'ready') return undefined;
  const {cpus, memoryBytes, mounts} = report.facts;
  const root = mounts.find(({path}) => path === '/');
  return {
    cpus,
    memoryGb: Math.round(memoryBytes / gibi),
    diskGb: Math.round((root?.bytes ?? 0) / 1e9),
  };
};

const shortOf = (needed: Size, has: Size): string =>
  [
    ...(needed.cpus > has.cpus ? ['CPU'] : []),
    ...(needed.memoryGb > has.memoryGb ? ['memory'] : []),
    ...(needed.diskGb > has.diskGb ? ['disk'] : []),
  ].join(', ');
