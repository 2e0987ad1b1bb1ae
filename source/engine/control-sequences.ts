import {stripVTControlCharacters} from 'node:util';

/** OSC, DCS, APC, PM and SOS carry text to the terminal itself (titles, clipboards), up to BEL or ST. */
const withoutStrings = (text: string): string =>
  text.replace(/(?:\u001b[\]P_^X]|[\u009d\u0090\u009f\u009e\u0098])[\s\S]*?(?:\u0007|\u001b\\|\u009c|$)/g, '');

/**
 * A line of remote output made safe for a terminal: no control sequences, no other control characters, nothing that
 * turns the direction of text, and what a progress bar wrote last instead of all that it overwrote.
 */
export const cleanLine = (line: string): string => {
  const shown = stripVTControlCharacters(withoutStrings(line)).replace(/\r+$/, '');
  return shown
    .slice(shown.lastIndexOf('\r') + 1)
    .replaceAll('\t', '  ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '');
};

/** The same for a text of several lines. */
export const cleanText = (text: string): string => text.split('\n').map(cleanLine).join('\n');

/** Longer lines say nothing more to a person, and a hostile host could send one without end. */
export const longestLine = 2000;

/** At most 2000 characters of each line. After redaction only: half a secret would not be recognised any more. */
export const capLines = (text: string): string =>
  text.length <= longestLine
    ? text
    : text
        .split('\n')
        .map(line => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line))
        .join('\n');

/** Characters of a line that has no end yet, after which it is taken as it is. */
const longestWait = 64 * 1024;

/** Cuts a stream of chunks into clean lines; `end` gives the last one, if it had no line end. */
export const lineSplitter = (
  onLine: (line: string) => void,
): {readonly write: (chunk: string) => void; readonly end: () => void} => {
  let rest = '';
  const give = (line: string) => onLine(cleanLine(line));
  return {
    write: chunk => {
      const pieces = (rest + chunk).split('\n');
      rest = pieces.pop() ?? '';
      pieces.forEach(give);
      if (rest.length > longestWait) {
        give(rest);
        rest = '';
      }
    },
    end: () => {
      if (rest) give(rest);
      rest = '';
    },
  };
};
