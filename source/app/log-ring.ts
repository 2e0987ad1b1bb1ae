/** The last lines of a log, kept outside React: a run prints tens of thousands, and one sees twenty. */
export type LogRing = {
  readonly push: (line: string) => void;
  readonly lines: () => readonly string[];
};

/** `capacity` is in lines. */
export const createLogRing = (capacity: number): LogRing => {
  const kept: string[] = [];
  let total = 0;
  return {
    push: line => {
      if (kept.length < capacity) kept.push(line);
      else kept[total % capacity] = line;
      total++;
    },
    lines: () => {
      const oldest = total % capacity;
      return total <= capacity ? [...kept] : [...kept.slice(oldest), ...kept.slice(0, oldest)];
    },
  };
};
