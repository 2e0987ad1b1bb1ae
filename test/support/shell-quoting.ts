/** How the shell sees a place of a script. */
type Place = 'plain' | 'single' | 'double' | 'comment';

/** The place of every character of a shell script, and the place at its end, by the quoting rules of POSIX sh. */
const places = (script: string): {readonly at: readonly Place[]; readonly end: Place} => {
  const at: Place[] = [];
  let place: Place = 'plain';
  for (let index = 0; index < script.length; index += 1) {
    const character = script[index];
    at.push(place);
    if (place === 'single') {
      if (character === "'") place = 'plain';
    } else if (place === 'comment') {
      if (character === '\n') place = 'plain';
    } else if (character === '\\') {
      index += 1;
      at.push(place);
    } else if (place === 'double') {
      if (character === '"') place = 'plain';
    } else if (character === "'") place = 'single';
    else if (character === '"') place = 'double';
    else if (character === '#' && /^$|[\s;&|()]/.test(script[index - 1] ?? '')) place = 'comment';
  }
  return {at, end: place};
};

/** Where `text` stands in a script other than wholly inside single quotes: there the shell would read it as its own. */
export const unquotedPlaces = (script: string, text: string): readonly number[] => {
  const {at} = places(script);
  const found: number[] = [];
  for (let from = script.indexOf(text); from >= 0; from = script.indexOf(text, from + 1)) {
    const quoted = Array.from({length: text.length}, (_, offset) => at[from + offset]).every(p => p === 'single');
    if (!quoted) found.push(from);
  }
  return found;
};
