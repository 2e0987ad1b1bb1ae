/** What differs between two texts, line by line. `lines` is a unified diff without its header. */
export type TextDiff = {readonly added: number; readonly removed: number; readonly lines: readonly string[]};

/** Above this many comparisons the middle of two texts counts as replaced as a whole. 4 million take about 20 ms. */
const mostComparisons = 4_000_000;

/** More lines than anyone reads on a screen. */
const mostLines = 80;

const context = 2;

type Edit = {readonly sign: ' ' | '-' | '+'; readonly line: string};

const linesOf = (text: string): string[] => {
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop() as string;
  return last === '' ? lines : [...lines, `${last} (no newline at the end)`];
};

/** Longest common subsequence of the middles, as the edits that lead from one to the other. */
const edits = (before: readonly string[], after: readonly string[]): Edit[] => {
  const removedAll = before.map(line => ({sign: '-', line}) as const);
  const addedAll = after.map(line => ({sign: '+', line}) as const);
  if (before.length === 0 || after.length === 0 || before.length * after.length > mostComparisons)
    return [...removedAll, ...addedAll];
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] as number;
  for (let row = before.length - 1; row >= 0; row -= 1)
    for (let column = after.length - 1; column >= 0; column -= 1)
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const found: Edit[] = [];
  let row = 0;
  let column = 0;
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      found.push({sign: ' ', line: before[row] as string});
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      found.push(removedAll[row] as Edit);
      row += 1;
    } else {
      found.push(addedAll[column] as Edit);
      column += 1;
    }
  }
  return [...found, ...removedAll.slice(row), ...addedAll.slice(column)];
};

/** Text of a host for a screen: what would steer a terminal becomes a dot. */
export const visible = (text: string): string =>
  text.replaceAll('\t', '  ').replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '·');

/** Only the changed lines and a few around them; `…` stands for what is left out. */
const shown = (all: readonly Edit[]): string[] => {
  const near = (index: number) =>
    all.slice(Math.max(0, index - context), index + context + 1).some(({sign}) => sign !== ' ');
  const lines: string[] = [];
  let hidden = false;
  for (const [index, {sign, line}] of all.entries()) {
    if (near(index)) {
      if (hidden && lines.length > 0) lines.push('…');
      lines.push(`${sign}${visible(line)}`);
      hidden = false;
    } else hidden = true;
  }
  return lines.length <= mostLines ? lines : [...lines.slice(0, mostLines), `… ${lines.length - mostLines} more lines`];
};

export const textDiff = (before: string, after: string): TextDiff => {
  const old = linesOf(before);
  const young = linesOf(after);
  let start = 0;
  while (start < old.length && start < young.length && old[start] === young[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < young.length - start && old.at(-1 - end) === young.at(-1 - end)) end += 1;
  const middle = edits(old.slice(start, old.length - end), young.slice(start, young.length - end));
  const same = (line: string): Edit => ({sign: ' ', line});
  const all = [
    ...old.slice(Math.max(0, start - context), start).map(same),
    ...middle,
    ...old.slice(old.length - end, old.length - end + context).map(same),
  ];
  return {
    added: middle.filter(({sign}) => sign === '+').length,
    removed: middle.filter(({sign}) => sign === '-').length,
    lines: shown(all),
  };
};
