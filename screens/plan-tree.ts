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

/** A plan as host, step, resource, change. Resources that are as they should be are left out. */
export const planTree = (steps: readonly PlannedStep[]): readonly TreeNode[] =>
  [...new Set(steps.map(step => step.host))].map(host => {
    const own = steps.filter(step => step.host === host);
    return {
      id: host,
      label: host,
      aside: counted(
        own.reduce((sum, step) => sum + changesOf(step), 0),
        'change',
      ),
      tone: 'strong' as const,
      children: own.map(step => ({
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
      })),
    };
  });
