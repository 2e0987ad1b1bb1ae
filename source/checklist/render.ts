import {column, printable, widthOf, wrap} from '../components/text.ts';
import type {Checklist, Section} from './checklist.ts';

/** Every terminal and every printed page has as many. */
const columns = 80;

/** A cell that is wider than its column goes on in the next line. */
const tableRow = (cells: readonly string[], widths: readonly number[]): readonly string[] => {
  const wrapped = cells.map((cell, index) => wrap(printable(cell), widths[index] ?? 1));
  const height = Math.max(...wrapped.map(lines => lines.length));
  return Array.from({length: height}, (_, line) =>
    wrapped
      .map((lines, index) => column(lines[line] ?? '', widths[index] ?? 1))
      .join('  ')
      .trimEnd(),
  );
};

/** Columns as wide as what is in them; where that is too much, the widest give way, none to less than its longest word: a name
 * that is broken is no name. */
const widthsOf = (rows: readonly (readonly string[])[], room: number): readonly number[] => {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map(row => widthOf(row[index] ?? ''))));
  const least = (rows[0] ?? []).map((_, index) =>
    Math.max(...rows.flatMap(row => (row[index] ?? '').split(' ').map(widthOf))),
  );
  const total = () => widths.reduce((sum, width) => sum + width + 2, -2);
  while (total() > room) {
    const spare = widths.map((width, index) => (width > (least[index] ?? 0) ? width : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    widths[widest] = (widths[widest] ?? 1) - 1;
  }
  return widths;
};

/** In front of each row stands a box to tick off. */
const box = '[ ] ';

const textTable = ({columns: titles, rows}: NonNullable<Section['table']>): readonly string[] => {
  const widths = widthsOf([titles, ...rows], columns - 4);
  const lead = ' '.repeat(box.length);
  return [
    ...tableRow(titles, widths).map(line => lead + line),
    `${lead}${widths.map(width => '-'.repeat(width)).join('  ')}`,
    ...rows.flatMap(row => tableRow(row, widths).map((line, index) => (index === 0 ? box : lead) + line)),
  ];
};

const textAnswers = (answers: readonly string[]): readonly string[] =>
  answers.length === 0
    ? []
    : [
        '',
        'Needed back:',
        ...answers.flatMap(answer =>
          wrap(printable(answer), columns - box.length).map(
            (line, index) => (index === 0 ? box : ' '.repeat(box.length)) + line,
          ),
        ),
      ];

/** For a terminal and for paper: 80 columns, ASCII but for what names hold. */
export const checklistText = ({title, text, sections}: Checklist): string =>
  `${[
    printable(title),
    '='.repeat(Math.min(columns, widthOf(printable(title)))),
    '',
    ...text.flatMap(line => wrap(printable(line), columns)),
    ...sections.flatMap((section, index) => {
      const head = `${index + 1}. ${section.title} (${section.who})`;
      return [
        '',
        head,
        '-'.repeat(widthOf(head)),
        ...section.text.flatMap(line => wrap(printable(line), columns)),
        ...(section.table ? ['', ...textTable(section.table)] : []),
        ...textAnswers(section.answers ?? []),
      ];
    }),
  ].join('\n')}\n`;

/** Text that means nothing to Markdown: a wildcard is no emphasis, and a name no link. */
const plain = (text: string): string => printable(text).replace(/[\\`*_{}[\]<>|#]/g, '\\$&');

const markdownRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** For a wiki, a ticket or a mail. */
export const checklistMarkdown = ({title, text, sections}: Checklist): string =>
  `${[
    `# ${plain(title)}`,
    '',
    ...text.flatMap(line => [plain(line), '']),
    ...sections.flatMap(({title: name, who, text: lines, table, answers = []}, index) => [
      `## ${index + 1}. ${plain(name)} (${plain(who)})`,
      '',
      ...lines.flatMap(line => [plain(line), '']),
      ...(table
        ? [
            markdownRow(['', ...table.columns.map(plain)]),
            markdownRow(['---', ...table.columns.map(() => '---')]),
            ...table.rows.map(row => markdownRow(['☐', ...row.map(plain)])),
            '',
          ]
        : []),
      ...(answers.length > 0 ? ['Needed back:', '', ...answers.map(answer => `- [ ] ${plain(answer)}`), ''] : []),
    ]),
  ]
    .join('\n')
    .trimEnd()}\n`;

export type ChecklistFormat = 'text' | 'markdown';

export const renderChecklist = (checklist: Checklist, format: ChecklistFormat): string =>
  format === 'markdown' ? checklistMarkdown(checklist) : checklistText(checklist);
