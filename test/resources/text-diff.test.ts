import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {textDiff} from '../../source/resources/text-diff.ts';

describe('the difference of two texts', () => {
  test('leaves out what is far from a change', () => {
    const lines = Array.from({length: 30}, (_, index) => `line ${index}`);
    const after = lines.with(5, 'five').with(25, 'twenty-five');
    expect(textDiff(lines.join('\n'), after.join('\n')).lines).toEqual([
      ' line 3',
      ' line 4',
      '-line 5',
      '+five',
      ' line 6',
      ' line 7',
      '…',
      ' line 23',
      ' line 24',
      '-line 25',
      '+twenty-five',
      ' line 26',
      ' line 27',
    ]);
  });

  test('says when only the end of the last line differs', () => {
    expect(textDiff('a', 'a\n').lines).toEqual(['-a (no newline at the end)', '+a']);
  });

  test('of large texts is found quickly, as a whole if need be', () => {
    const text = (mark: string) => Array.from({length: 20_000}, (_, index) => `${mark}${index}`).join('\n');
    const {added, removed, lines} = textDiff(text('a'), text('b'));
    expect([added, removed, lines.length]).toEqual([20_000, 20_000, 81]);
  });

  test('has as few lines as the diff of the system', () => {
    const place = mkdtempSync(join(tmpdir(), 'groundwork-diff-'));
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c'), {maxLength: 12})
      .map(lines => lines.map(l => `${l}\n`).join(''));
    const count = (args: string[]) => {
      try {
        return execFileSync('diff', args, {encoding: 'utf8'});
      } catch (error) {
        return (error as {stdout: string}).stdout;
      }
    };
    fc.assert(
      fc.property(text, text, (before, after) => {
        writeFileSync(join(place, 'a'), before);
        writeFileSync(join(place, 'b'), after);
        const judged = count(['--minimal', '--normal', join(place, 'a'), join(place, 'b')]).split('\n');
        const {added, removed} = textDiff(before, after);
        expect([added, removed]).toEqual([
          judged.filter(line => line.startsWith('>')).length,
          judged.filter(line => line.startsWith('<')).length,
        ]);
      }),
      {numRuns: 40},
    );
    rmSync(place, {recursive: true});
  });
});
