/** How many letters must be changed, added, removed or swapped with their neighbour to make one word of the other. */
const distance = (a: string, b: string): number => {
  const rows = Array.from({length: a.length + 1}, (_, row) =>
    Array.from({length: b.length + 1}, (_, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= a.length; row++) {
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      (rows[row] as number[])[column] = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + same,
        swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return at(a.length, b.length);
};

const plain = (word: string): string => word.toLowerCase().replace(/[_-]/g, '');

/** The known word that a wrong one was surely meant to be, if there is one: at most a third of it differs. */
export const nearest = (wrong: string, known: readonly string[]): string | undefined => {
  const [best] = known
    .map(word => ({word, away: distance(plain(wrong), plain(word))}))
    .toSorted((a, b) => a.away - b.away);
  return best && best.away <= Math.max(1, Math.floor(best.word.length / 3)) ? best.word : undefined;
};
