import {phaseOf} from '../source/blueprints/phases.ts';
import {counted} from '../source/components/text.ts';
import type {TreeNode} from '../source/components/tree.tsx';
import type {PlannedStep} from '../source/engine/events.ts';

const changesOf = (step: PlannedStep): number => step.resources.reduce((sum, each) => sum + each.changes.length, 0);

const asideOf = (step: PlannedStep): string => {
  if (step.awaits) return 'waits for you';
  if (step.undecided) return 'decided later';
  const changes = changesOf(step);
  return changes === 0 ? 'in order' : counted(changes, 'change');
};

/** What a step would do, below what it is for. */
const stepNodes = (host: string, own: readonly PlannedStep[]): readonly TreeNode[] =>
  own.map(step => ({
    id: `${host}/${step.step}`,
    label: step.title,
    aside: asideOf(step),
    ...(changesOf(step) === 0 && !step.undecided && !step.awaits && {tone: 'quiet' as const}),
    children: step.undecided
      ? [{id: `${host}/${step.step}/undecided`, label: step.undecided, tone: 'quiet' as const}]
      : [
          ...(step.awaits ?? []).map((until, index) => ({
            id: `${host}/${step.step}/awaits/${index}`,
            label: `until ${until}`,
            tone: 'warning' as const,
          })),
          ...step.resources
            .filter(resource => resource.changes.length > 0)
            .map(resource => ({
              id: `${host}/${step.step}/${resource.id}`,
              label: resource.id,
              children: resource.changes.map((change, index) => ({
                id: `${host}/${step.step}/${resource.id}/${index}`,
                label: change.summary,
                tone: 'quiet' as const,
                ...(change.detail && {
                  children: change.detail.map((line, at) => ({
                    id: `${host}/${step.step}/${resource.id}/${index}/${at}`,
                    label: line,
                    tone: 'quiet' as const,
                  })),
                }),
              })),
            })),
        ],
  }));

const changesIn = (steps: readonly PlannedStep[]): string =>
  counted(
    steps.reduce((sum, step) => sum + changesOf(step), 0),
    'change',
  );

/**
 * A plan as host, step, resource, change; with several hosts the steps of one that has a part in more than the ground
 * are sorted by phase, so that each level fits a screen. Resources that are as they should be are left out.
 */
export const planTree = (steps: readonly PlannedStep[]): readonly TreeNode[] => {
  const hosts = [...new Set(steps.map(step => step.host))];
  return hosts.map(host => {
    const own = steps.filter(step => step.host === host);
    const phases = [...new Set(own.map(({step}) => phaseOf(step)))];
    const isSorted = hosts.length > 1 && phases.length > 1;
    return {
      id: host,
      label: host,
      aside: changesIn(own),
      tone: 'strong' as const,
      children: isSorted
        ? phases.map(phase => {
            const inPhase = own.filter(({step}) => phaseOf(step) === phase);
            return {
              id: `${host}/${phase}`,
              label: phase,
              aside: changesIn(inPhase),
              children: stepNodes(host, inPhase),
            };
          })
        : stepNodes(host, own),
    };
  });
};
