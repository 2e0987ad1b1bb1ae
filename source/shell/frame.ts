import {lines, type Script, sh} from './script.ts';

/** What one part of a framed script printed. */
export type PartOutput = {readonly code: number; readonly stdout: string; readonly stderr: string};

/**
 * Many scripts as one, so that they cost one round trip. Each runs in a subshell of its own, with its output,
 * errors and exit status between lines that begin with `marker`: a random word, so that nothing on the host
 * can forge a frame. What a login shell or a banner prints before the first marker is ignored.
 *
 * Errors go through a file in memory where there is one, because a full disk must not keep us from looking.
 *
 * A part cannot read the script's standard input, and cannot end the parts after it.
 */
export const frame = (marker: string, parts: readonly Script[]): Script =>
  lines(
    sh`frame_errors=$(mktemp -p /dev/shm 2>/dev/null || mktemp) || exit 70`,
    sh`trap 'rm -f "$frame_errors"' EXIT`,
    ...parts.map(
      (part, index) => sh`printf '%s\n' ${`${marker} ${index} out`}
(
${part}
) </dev/null 2>"$frame_errors"
frame_code=$?
printf '\n%s %s\n' ${`${marker} ${index} code`} "$frame_code"
cat "$frame_errors"
printf '\n%s\n' ${`${marker} ${index} end`}`,
    ),
  );

/**
 * The outputs of a framed script, by the index of the part. A part that is missing or cut short (the
 * connection went, the output was truncated) is absent from the map.
 */
export const unframe = (marker: string, output: string): ReadonlyMap<number, PartOutput> => {
  const found = new Map<number, PartOutput>();
  for (const piece of output.split(`${marker} `).reduce<string[]>(joinPart, [])) {
    const match = /^(\d+) out\n([\s\S]*)\n\1 code (\d+)\n([\s\S]*)\n\1 end/.exec(piece);
    if (match) found.set(Number(match[1]), {stdout: match[2] ?? '', code: Number(match[3]), stderr: match[4] ?? ''});
  }
  return found;
};

/**
 * Takes the chunks of a framed script's output as they come, and gives each part on as soon as it is whole: a host that
 * answers a hundred questions in half a minute need not be silent for half a minute.
 */
export const unframeAsItComes = (
  marker: string,
  onPart: (index: number, part: PartOutput) => void,
): ((chunk: string) => void) => {
  const end = new RegExp(`${marker} \\d+ end`);
  let pending = '';
  return chunk => {
    pending += chunk;
    for (let match = end.exec(pending); match; match = end.exec(pending)) {
      const whole = match.index + match[0].length;
      for (const [index, part] of unframe(marker, pending.slice(0, whole))) onPart(index, part);
      pending = pending.slice(whole);
    }
  };
};

/** Gathers the three marked pieces of each part into one string; what precedes the first marker is dropped. */
const joinPart = (parts: string[], piece: string, index: number): string[] => {
  if (index === 0) return parts;
  if (/^\d+ out\n/.test(piece)) parts.push(piece);
  else if (parts.length > 0) parts[parts.length - 1] += piece;
  return parts;
};
