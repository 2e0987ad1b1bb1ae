import type {Resource} from '../resources/resource.ts';
import {err} from '../result.ts';
import {nothing} from '../shell/script.ts';
import {inOrder} from './graph.ts';
import type {Remedy, Step, StepContext, Verification} from './step.ts';

/**
 * How far an uninstallation goes. `platform`: the cluster and what runs on it; the ground stays. `hosts`: everything
 * that was put on the machines. An environment has steps of its own (steps/environment/removal.ts).
 */
export type RemovalScope = 'platform' | 'hosts';

/** What is erased although it cannot be made again. Never by default. */
export type Purge = {
  /** Volumes, databases, and the passwords that belong to them. */
  readonly data: boolean;
  /** Copies of them: the last way back. */
  readonly backups: boolean;
};

export type RemovalContext = StepContext & {readonly scope: RemovalScope; readonly purge: Purge};

/**
 * How a step is taken away again, for both scopes. It asks the hosts and not the deployment what is there: a setting
 * may have been changed since the installation. Secrets and products are not at hand.
 */
export type Removal = {
  /** It acts on the cluster: only the first host that plays the role is concerned. Default: every such host. */
  readonly once?: true;
  /** Seconds on an ordinary machine. Default 5. */
  readonly estimate?: number;
  /**
   * Resources in their absent form, and what `stays` (resources/stays.ts), in the order of their removal. None: the scope
   * does not concern it.
   */
  readonly resources: (context: RemovalContext) => readonly Resource[];
  readonly verify?: (context: RemovalContext) => readonly Verification[];
  readonly remedies?: readonly Remedy[];
  /** What leaving it where it is means for the rest. Without this it cannot be skipped. */
  readonly skippable?: string;
};

/** What it made goes when that other step is taken away: it lives in the cluster, and nothing of it is on a machine. */
export type GoesWith = {readonly goesWith: Step};

/** `remove-nginx`: what the operator retries. */
export const removalId = (step: string): string => `remove-${step}`;

/** In place of everything on a machine that another deployment has put its own things on. */
const foreign = (owner: string): Resource => ({
  id: 'the host belongs to this deployment',
  doing: 'looking whose host it is',
  probe: nothing,
  assess: () => err(`the ground of "${owner}" is on this host: nothing is removed from it`),
});

/** What must be gone before a step may go: the removals of all that came after it, by the steps that they are of. */
const laterRemovals = (steps: readonly Step[], of: Step): readonly Step[] =>
  steps
    .filter(({after}) => after.includes(of))
    .flatMap(later => {
      const {removal} = later;
      if (removal === undefined) return laterRemovals(steps, later);
      if (!('goesWith' in removal)) return [later];
      return removal.goesWith === of ? laterRemovals(steps, later) : [removal.goesWith];
    });

/** The steps that take `steps` away, in the reverse order: each after all that came after it. */
export const removalSteps = (
  steps: readonly Step[],
  {scope, purge}: {readonly scope: RemovalScope; readonly purge: Purge},
): readonly Step[] => {
  const ordered = inOrder(steps);
  const contextOf = (context: StepContext): RemovalContext => ({...context, scope, purge});
  const made = new Map<Step, Step>();
  const make = (step: Step, removal: Removal): Step => {
    const known = made.get(step);
    if (known) return known;
    const later = [...new Set(laterRemovals(ordered, step))].flatMap(each =>
      each.removal && !('goesWith' in each.removal) ? [make(each, each.removal)] : [],
    );
    const one: Step = {
      id: removalId(step.id),
      title: `Remove ${step.title}`,
      why: `Takes away what "${step.title}" has put there.`,
      role: step.role,
      ...(removal.once && {once: true}),
      after: later,
      estimate: removal.estimate ?? 5,
      resources: context => {
        const {deployment, facts} = context;
        return facts.deployment === undefined || facts.deployment === deployment.name
          ? removal.resources(contextOf(context))
          : [foreign(facts.deployment)];
      },
      verify: context => removal.verify?.(contextOf(context)) ?? [],
      remedies: [...(removal.remedies ?? []), ...(step.remedies ?? [])],
      ...(removal.skippable !== undefined && {skippable: removal.skippable}),
    };
    made.set(step, one);
    return one;
  };
  return ordered
    .toReversed()
    .flatMap(step => (step.removal && !('goesWith' in step.removal) ? [make(step, step.removal)] : []));
};
