import type {Deployment, HostSpec} from '../deployment/schema.ts';
import {namesIn, type Step} from './step.ts';

/** One step on one host. */
export type Instance = {readonly key: string; readonly step: Step; readonly host: HostSpec};

export const keyOf = (step: string, host: string): string => `${step}@${host}`;

/**
 * Steps in an order in which each comes after all that it is `after`, otherwise as given. A cycle, or a step that is
 * after one that is not among them, is a bug of the blueprint.
 */
export const inOrder = (steps: readonly Step[]): readonly Step[] => {
  const done: Step[] = [];
  const visit = (step: Step, path: readonly Step[]): void => {
    if (done.includes(step)) return;
    if (path.includes(step))
      throw new Error(`steps wait for each other: ${[...path, step].map(({id}) => id).join(' → ')}`);
    if (!steps.includes(step))
      throw new Error(`step ${path.at(-1)?.id} is after ${step.id}, which is not in the blueprint`);
    for (const earlier of step.after) visit(earlier, [...path, step]);
    done.push(step);
  };
  for (const step of steps) visit(step, []);
  return done;
};

/**
 * Every step on every host that plays its role, in the order of `inOrder`, host by host. A step that is done `once`
 * concerns only the first of these hosts, as the deployment lists them.
 */
export const instancesOf = (steps: readonly Step[], deployment: Deployment): readonly Instance[] =>
  inOrder(steps)
    .filter(step => step.enabled?.(deployment) ?? true)
    .flatMap(step => {
      const players = deployment.hosts.filter(host => host.roles.includes(step.role));
      return (step.once ? players.slice(0, 1) : players).map(host => ({key: keyOf(step.id, host.name), step, host}));
    });

/**
 * What must be done before an instance may begin: the steps it is after, on its own host where they concern it, else on
 * every host that they concern. So a firewall waits for nothing but its own machine, and what is laid on the cluster for
 * the proxy and the storage. What another step makes for it, it waits for wherever that is made. A step that concerns no
 * host here (it is switched off, or nobody plays its role) hands on what it is after itself.
 */
export const prerequisitesOf = (
  instance: Instance,
  all: readonly Instance[],
  deployment: Deployment,
): readonly Instance[] => {
  const needed = namesIn(instance.step.needs, deployment);
  const makes = (step: Step): boolean => namesIn(step.provides, deployment).some(name => needed.includes(name));
  const before = (step: Step): readonly Instance[] =>
    step.after.flatMap(earlier => {
      const concerned = all.filter(other => other.step === earlier);
      const here = concerned.filter(({host}) => host.name === instance.host.name);
      if (here.length > 0 && !makes(earlier)) return here;
      return concerned.length > 0 ? concerned : before(earlier);
    });
  return [...new Set(before(instance.step))];
};

/** All that cannot begin before these are done, and before what those hold up is, in the order of `all`. */
export const heldBy = (
  starts: readonly Instance[],
  all: readonly Instance[],
  deployment: Deployment,
): readonly Instance[] => {
  const held = new Set(starts);
  // In their order, each comes after all that it is after: one pass finds them.
  for (const instance of all)
    if (prerequisitesOf(instance, all, deployment).some(before => held.has(before))) held.add(instance);
  return all.filter(instance => held.has(instance) && !starts.includes(instance));
};
