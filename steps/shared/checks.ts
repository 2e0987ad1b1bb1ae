import type {Verification} from '../../source/engine/step.ts';
import {err, ok} from '../../source/result.ts';
import type {PartOutput} from '../../source/shell/frame.ts';

const lastLines = (text: string, count = 4): string => text.trim().split('\n').slice(-count).join(' / ');

/** What a tool said, in one line: what it complained about, else what it printed. */
export const said = ({stdout, stderr}: PartOutput): string => lastLines(stderr) || lastLines(stdout) || 'no output';

/**
 * A verification whose script's exit status decides. `evidence` says what is shown when it passed; without it, the
 * last line that the tool printed.
 */
export const exitsZero = (
  {id, title, script}: Pick<Verification, 'id' | 'title' | 'script'>,
  evidence?: string,
): Verification => ({
  id,
  title,
  script,
  check: output =>
    output.code === 0
      ? ok(evidence ?? (lastLines(output.stdout, 1) || 'done'))
      : err(`${said(output)} (exit status ${output.code})`),
});

/** A verification that compares what the tool printed, blanks at the ends aside. */
export const prints = (
  {id, title, script}: Pick<Verification, 'id' | 'title' | 'script'>,
  expected: string | RegExp,
): Verification => ({
  id,
  title,
  script,
  check: output => {
    const text = output.stdout.trim();
    const matches = typeof expected === 'string' ? text === expected : expected.test(text);
    return matches ? ok(text) : err(`expected ${expected}, got ${text || said(output)}`);
  },
});
