import {addressFrom, proxyOf} from '../../source/artifacts/source.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {managedFile} from '../shared/config-text.ts';
import {systemOf} from '../shared/deployment.ts';
import {pgdgKey} from './pgdg-key.ts';
import {postgresqlOf} from './version.ts';

const archive = 'https://apt.postgresql.org/pub/repos/apt';

export const sourcesPaths = {
  key: '/etc/apt/keyrings/groundwork-pgdg.asc',
  list: '/etc/apt/sources.list.d/groundwork-pgdg.sources',
  settings: '/etc/apt/apt.conf.d/60groundwork-pgdg',
  preferences: '/etc/apt/preferences.d/groundwork-pgdg',
} as const;

/** Package source of the PostgreSQL project, for the release of the host; from the deployment's mirror where it has one. */
export const pgdgSources = ({artifacts}: Pick<Deployment, 'artifacts'>, facts: Pick<Facts, 'os'>): string =>
  managedFile(
    'Types: deb',
    `URIs: ${addressFrom(artifacts, archive)}`,
    `Suites: ${systemOf(facts).codename}-pgdg`,
    'Components: main',
    `Signed-By: ${sourcesPaths.key}`,
  );

/**
 * The project packages much beside PostgreSQL. What the distribution has too stays the distribution's, unless it is of
 * PostgreSQL itself or of the tool that backs it up, which must be the same on every host.
 */
const preferences = `${[
  ['Package: *', 'Pin: release o=apt.postgresql.org', 'Pin-Priority: 100'],
  ['Package: postgresql* libpq* pgbackrest', 'Pin: release o=apt.postgresql.org', 'Pin-Priority: 600'],
]
  .map(stanza => stanza.join('\n'))
  .join('\n\n')}\n`;

/** The proxy of the site for this source alone: how the host reaches its other sources is not ours. */
const proxySettings = (address: string): string =>
  managedFile(`Acquire::https::Proxy::apt.postgresql.org "${address}";`);

/** What a host needs before it can install from the PostgreSQL project; nothing with the distribution's packages. */
export const packageSources = (deployment: Deployment, facts: Pick<Facts, 'os'>): readonly Resource[] => {
  if (postgresqlOf(deployment).packages !== 'pgdg') return [];
  const proxy = deployment.artifacts.source === 'mirror' ? undefined : proxyOf(deployment);
  return [
    file(sourcesPaths.key, pgdgKey),
    file(sourcesPaths.preferences, preferences),
    ...(proxy ? [file(sourcesPaths.settings, proxySettings(proxy.address))] : []),
    file(sourcesPaths.list, pgdgSources(deployment, facts)),
  ];
};
