import type {PlannedStep} from '../engine/events.ts';
import type {Change, Stay} from '../resources/resource.ts';
import {sizeOf} from '../resources/tree.ts';

/** What a removal does to one host, from what was found there. */
export type HostRemoval = {
  readonly host: string;
  readonly goes: readonly {readonly title: string; readonly changes: readonly Change[]}[];
  /** Of these, what nobody can make again. */
  readonly loses: readonly Change[];
  readonly stays: readonly Stay[];
  /** What could not be read, and why: until that is known nothing can be decided. */
  readonly unread: readonly string[];
};

/** All packages of a host stay for one reason, and are one line. */
const packagesTogether = (stays: readonly Stay[]): readonly Stay[] => {
  const packages = stays.filter(({kind}) => kind === 'packages');
  const [first] = packages;
  const others = stays.filter(({kind}) => kind !== 'packages');
  if (!first) return others;
  const names = [...new Set(packages.flatMap(({what}) => what.split(' ')))].sort();
  return [...others, {...first, what: names.join(' ')}];
};

/** The plan of a removal as a list for those who decide: host by host, only what is really there. */
export const removalList = (steps: readonly PlannedStep[]): readonly HostRemoval[] =>
  [...new Set(steps.map(({host}) => host))].map(host => {
    const own = steps.filter(step => step.host === host);
    const resources = own.flatMap(step => step.resources);
    return {
      host,
      goes: own
        .map(({title, resources: each}) => ({
          title: title.replace(/^Remove /, ''),
          changes: each.filter(({unread}) => unread === undefined).flatMap(({changes}) => changes),
        }))
        .filter(({changes}) => changes.length > 0),
      loses: resources.flatMap(({changes}) => changes.filter(({loses}) => loses)),
      stays: packagesTogether(resources.flatMap(({stays}) => stays ?? [])),
      unread: resources.flatMap(({unread}) => unread ?? []),
    };
  });

/** Whether there is anything to do on any host. */
export const removesNothing = (list: readonly HostRemoval[]): boolean =>
  list.every(({goes, unread}) => goes.length === 0 && unread.length === 0);

export const stayLine = ({kind, what, why, bytes}: Stay): string => {
  const named = kind === 'packages' ? `packages ${what.split(' ').join(', ')}` : what;
  return `${named}${bytes === undefined ? '' : ` (${sizeOf(bytes)})`}: ${why}`;
};

const lossLine = ({summary}: Change): string => summary;

/** The list in lines: what goes, what is lost with it, what stays. A host without anything says so. */
export const removalLines = (list: readonly HostRemoval[]): readonly string[] =>
  list.flatMap(({host, goes, loses, stays, unread}, at) => [
    ...(at > 0 ? [''] : []),
    host,
    ...(goes.length === 0 && unread.length === 0 ? ['  Nothing is left to remove.'] : []),
    ...(goes.length > 0 ? ['  Goes:'] : []),
    ...goes.flatMap(({title, changes}) => [
      `    ${title}`,
      ...changes.flatMap(({summary, detail = []}) => [`      ${summary}`, ...detail.map(line => `        ${line}`)]),
    ]),
    ...(loses.length > 0 ? ['  Lost for good with it:', ...loses.map(change => `    ${lossLine(change)}`)] : []),
    ...(stays.length > 0 ? ['  Stays:', ...stays.map(stay => `    ${stayLine(stay)}`)] : []),
    ...(unread.length > 0 ? ['  Cannot be read:', ...unread.map(why => `    ${why}`)] : []),
  ]);

/** What stays on this side, and how that is deleted. */
export const keptHere = (name: string, folder: string): readonly string[] => [
  'On this side everything stays, so that the same can be installed again:',
  `  answers, vault, handed-over files, journal and logs of ${name} in ${folder}.`,
  `  To delete them: Home, ${name}, Delete.`,
];
