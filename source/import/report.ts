import type {Imported, ImportProblem, Item} from './item.ts';
import {deploymentName} from './reading.ts';

export type Section = {readonly title: string; readonly lines: readonly string[]};

/** Values and keys come from somebody's file: what would move the cursor has been refused, what would hide is told. */
const visible = (text: string): string =>
  text.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** `line 12  ` when there is one file, `prod-config.yaml:12  ` when there are several. */
const placeOf = (files: Imported['files'], {file, line}: Pick<ImportProblem, 'file' | 'line'>): string => {
  if (file === undefined) return '';
  return files.length === 1 ? `line ${line}  ` : `${file}:${line}  `;
};

/** What there is to say about a setting, with the command that brings it along. */
const noteOf = ({deployment}: Imported, {note, vault}: Item): string | undefined =>
  vault === undefined
    ? note?.replaceAll(deploymentName, deployment.name)
    : `${note}: groundwork secrets set ${deployment.name} ${vault}`;

const itemLine = (imported: Imported, item: Item): string => {
  const note = noteOf(imported, item);
  const value = item.value === undefined ? '' : ` ${item.value}`;
  const where = item.paths.length > 0 && item.outcome !== 'left' ? `, as ${item.paths.join(', ')}` : '';
  const parts = [item.key === '' ? '' : `${item.key}:${value}${where}`, note].filter(Boolean);
  return visible(`${placeOf(imported.files, item)}${parts.join(value === '' && where === '' ? ' ' : '; ')}`);
};

export const problemLine = ({files}: Pick<Imported, 'files'>, problem: ImportProblem): string => {
  const {path, message, severity} = problem;
  return visible(
    `${placeOf(files, problem)}${severity === 'warning' ? 'warning: ' : ''}${path ? `${path}: ` : ''}${message}`,
  );
};

const titles = {
  taken: 'Taken over',
  changed: 'Taken over with a change',
  left: 'Not taken over',
  secret: 'Secrets, which are never taken over',
  unknown: 'Not known',
  wrong: 'Wrong, and not taken over',
} as const satisfies Readonly<Record<Item['outcome'], string>>;

/** What a file was, and what became of each of its lines; then what was assumed, and what is still to be answered. */
export const reportSections = (imported: Imported): readonly Section[] => {
  const {files, items, notes, problems} = imported;
  const byOutcome = (['taken', 'changed', 'left', 'secret', 'unknown', 'wrong'] as const).map(outcome => ({
    title: titles[outcome],
    lines: items.filter(item => item.outcome === outcome).map(item => itemLine(imported, item)),
  }));
  return [
    {title: 'Read', lines: files.map(({path, title}) => `${path}: ${title}`)},
    ...byOutcome,
    {title: 'Assumed', lines: notes.map(visible)},
    {
      title: 'To be looked at',
      lines: problems.filter(({severity}) => severity === 'warning').map(each => problemLine(imported, each)),
    },
    {
      title: 'Still to be answered',
      lines: problems.filter(({severity}) => severity === 'error').map(each => problemLine(imported, each)),
    },
  ].filter(({lines}) => lines.length > 0);
};

/** The report as lines, each section with its count. */
export const reportLines = (sections: readonly Section[]): readonly string[] =>
  sections.flatMap(({title, lines}, index) => [
    ...(index > 0 ? [''] : []),
    `${title} (${lines.length})`,
    ...lines.map(line => `  ${line}`),
  ]);

/** The report for programs: one object a line, the last of type `import.finished`. `kept` says where the result lies now. */
export const reportObjects = (imported: Imported, kept: string | null): readonly object[] => [
  ...imported.files.map(file => ({type: 'import.file', ...file})),
  ...imported.items.map(item => {
    const note = noteOf(imported, item);
    return {type: 'import.setting', ...item, ...(note !== undefined && {note})};
  }),
  ...imported.notes.map(note => ({type: 'import.note', note})),
  ...imported.problems.map(problem => ({type: 'import.problem', ...problem})),
  {
    type: 'import.finished',
    deployment: imported.deployment.name,
    topology: imported.deployment.topology,
    complete: imported.problems.every(({severity}) => severity === 'warning'),
    kept,
  },
];
