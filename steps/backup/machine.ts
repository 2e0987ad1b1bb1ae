import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Remedy, StepContext} from '../../source/engine/step.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {nothing, sh} from '../../source/shell/script.ts';
import {managedFile} from '../shared/config-text.ts';
import {type Source, sourceIn, sourceProduct} from './keys.ts';
import {machinesPath} from './paths.ts';
import {sourceHosts} from './settings.ts';

/** What the backup host remembers of the machines that its copies are of. */
export const machinesProduct = 'backup-machines';

/** A product is one line: `storage-1=MACHINE compute-1=MACHINE`. */
export const machinesIn = (product: string | undefined): ReadonlyMap<string, string> =>
  new Map([...(product ?? '').matchAll(/(\S+)=(\S+)/g)].map(([, name = '', machine = '']) => [name, machine]));

/** Reads what was remembered, on the backup host. */
export const rememberedMachines: Resource = resource<string>({
  id: 'machines that the backups are of',
  doing: 'reading which machines the backups are of',
  probe: sh`cat ${machinesPath} 2>/dev/null || :`,
  read: ({stdout}) =>
    ok(
      [...stdout.matchAll(/^([a-z0-9-]+) ([0-9a-f]{32})$/gm)]
        .map(([, name, machine]) => `${name}=${machine}`)
        .join(' '),
    ),
  diff: () => [],
  products: text => ({[machinesProduct]: text}),
  apply: () => script(nothing),
});

/** The file, with what is known of each host. What was remembered of one that did not answer stays. */
export const machinesFile = (deployment: Deployment, products: StepContext['products']): string => {
  const remembered = machinesIn(products[machinesProduct]);
  return managedFile(
    sourceHosts(deployment).flatMap(({name}) => {
      const machine = sourceIn(products[sourceProduct(name)])?.machine ?? remembered.get(name);
      return machine === undefined ? [] : [`${name} ${machine}`];
    }),
  );
};

/** All hosts that answered, with how they are reached. */
export const sourcesIn = (
  deployment: Deployment,
  products: StepContext['products'],
): readonly {readonly host: HostSpec; readonly source: Source}[] =>
  sourceHosts(deployment).flatMap(host => {
    const source = sourceIn(products[sourceProduct(host.name)]);
    return source ? [{host, source}] : [];
  });

/**
 * That a host is the machine that the copies are of. A fresh machine with the same name and address would otherwise take
 * its place in silence: it would be copied over the old one’s data, as if that had been deleted.
 */
export const sameMachine = ({host, facts, products}: Pick<StepContext, 'host' | 'facts' | 'products'>): Resource => ({
  id: 'same machine as the backups are of',
  doing: 'comparing the machine with the one that the backups are of',
  probe: nothing,
  assess: () => {
    const before = machinesIn(products[machinesProduct]).get(host.name);
    return before === undefined || before === facts.machineId
      ? ok({changes: []})
      : err(
          `${host.name} is another machine than the one that the backups are of (machine id ${before.slice(0, 8)}… then, ${facts.machineId.slice(0, 8)}… now)`,
        );
  },
});

export const machineRemedies: readonly Remedy[] = [
  {
    id: 'backup-other-machine',
    match: /is another machine than the one that the backups are of/,
    cause: 'The host was built anew, or another machine has its address. Nothing was copied from it or to it.',
    remedy:
      'If it is a stranger, correct the address. If it replaces the old one: `groundwork backup accept HOST`, retry, then `groundwork backup restore`.',
  },
];
