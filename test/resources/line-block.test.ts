import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {type LineBlock, lineBlock, withBlock} from '../../source/resources/line-block.ts';
import {applyPort, converge, plan} from '../support/apply.ts';
import {localBash} from '../support/local.ts';
import {anyCharacter} from '../support/nasty.ts';

const block = (...lines: string[]): LineBlock => ({name: 'hosts', lines});
const written = (...lines: string[]) => ['# BEGIN groundwork hosts', ...lines, '# END groundwork hosts', ''].join('\n');

describe('the text with a block', () => {
  test.each([
    ['an empty file', '', block('x'), written('x')],
    ['at the end', 'a\n', block('x'), `a\n${written('x')}`],
    ['after a last line without an end', 'a', block('x'), `a\n${written('x')}`],
    ['at the start', 'a', {...block('x'), position: 'start'} as const, `${written('x')}a`],
    [
      'at the start, after the interpreter',
      '#!/bin/sh\na\n',
      {...block('x'), position: 'start'} as const,
      `#!/bin/sh\n${written('x')}a\n`,
    ],
    ['in its place, wherever that is', `a\n${written('old')}b`, block('new', 'er'), `a\n${written('new', 'er')}b`],
    ['once, where it was twice', `a\n${written('1')}b\n${written('2')}c\n`, block('x'), `a\n${written('x')}b\nc\n`],
    ['without the block when there are no lines', `a\n${written('1')}b`, block(), 'a\nb'],
    [
      'with other blocks as they were',
      '# BEGIN groundwork other\n1\n# END groundwork other\n',
      block('x'),
      `# BEGIN groundwork other\n1\n# END groundwork other\n${written('x')}`,
    ],
    ['with ends of lines as they were', 'a\r\nb\r\n', block('x'), `a\r\nb\r\n${written('x')}`],
    [
      'found although an editor changed its ends of lines',
      'a\r\n# BEGIN groundwork hosts\r\n1\r\n# END groundwork hosts\r\nb\r\n',
      block('x'),
      `a\r\n${written('x')}b\r\n`,
    ],
  ])('%s', (_, before, wanted, after) => {
    expect(withBlock(before, wanted)).toBe(after);
    expect(withBlock(after, wanted)).toBe(after);
  });

  test('with a beginning that has no end loses only that line, never what follows', () => {
    expect(withBlock('# BEGIN groundwork hosts\ntheirs\n', block('x'))).toBe(`${written('x')}theirs\n`);
    expect(withBlock('theirs\n# END groundwork hosts\nmore\n', block('x'))).toBe(`theirs\n${written('x')}more\n`);
  });

  test('keeps everything else, whatever that is', () => {
    const line = fc
      .uint8Array({maxLength: 12})
      .map(bytes => Buffer.from(bytes).toString('latin1').replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line), fc.boolean(), fc.array(line, {minLength: 1}), (others, ended, wanted) => {
        const before = others.join('\n') + (ended ? '\n' : '');
        const after = withBlock(before, block(...wanted.map(text => text.replaceAll('\r', ''))));
        const without = withBlock(after, block());
        expect([before, `${before}\n`]).toContain(without);
      }),
    );
  });
});

describe('a block in a real file', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'groundwork-block-'));
  });
  afterEach(() => rmSync(place, {recursive: true, force: true}));
  const at = (name: string) => join(place, name);

  const settles = async (wanted: LineBlock, name = 'f') => {
    const {rounds} = await converge(localBash(), [lineBlock(at(name), wanted)]);
    expect(rounds[1]).toEqual([]);
    return rounds[0];
  };

  test('keeps the mode of the file and every byte around it', async () => {
    const around = Buffer.from([0xff, 0xfe, 10, 0x80, 13, 10]);
    writeFileSync(at('f'), around);
    chmodSync(at('f'), 0o604);
    await settles(block('10.0.0.1 ünï'));
    expect(readFileSync(at('f'))).toEqual(Buffer.concat([around, Buffer.from(written('10.0.0.1 ünï'))]));
    expect((statSync(at('f')).mode & 0o777).toString(8)).toBe('604');
    expect(readdirSync(place)).toEqual(['f']);
  });

  test('makes the file when there is none', async () => {
    await settles({...block('x'), mode: 0o640});
    expect(readFileSync(at('f'), 'utf8')).toBe(written('x'));
    expect((statSync(at('f')).mode & 0o777).toString(8)).toBe('640');
  });

  test('goes into the file that a link points to, and the link stays', async () => {
    writeFileSync(at('real'), 'a\n');
    symlinkSync('real', at('f'));
    await settles(block('x'));
    expect(lstatSync(at('f')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('real'), 'utf8')).toBe(`a\n${written('x')}`);
  });

  test('shows its lines', async () => {
    writeFileSync(at('f'), 'a\n');
    const [changed] = await plan(localBash(), [lineBlock(at('f'), block('x'))]);
    expect(changed?.changes).toEqual([
      {summary: 'set block hosts', detail: [' a', '+# BEGIN groundwork hosts', '+x', '+# END groundwork hosts']},
    ]);
  });

  test('does not lose what somebody else wrote between looking and writing', async () => {
    writeFileSync(at('f'), 'a\n');
    const resource = lineBlock(at('f'), block('x'));
    const probed = await localBash().run(resource.probe);
    if (!probed.ok) throw new Error(probed.error.message);
    const assessed = resource.assess(probed.value);
    writeFileSync(at('f'), 'a\ntheirs\n');
    if (!assessed.ok) throw new Error(assessed.error);
    const applied = await assessed.value.apply?.(applyPort(localBash()));
    expect(applied?.ok).toBe(true);
    expect(readFileSync(at('f'), 'utf8')).toBe(`a\ntheirs\n${written('x')}`);
  });

  test('holds exactly its lines, whatever they are', async () => {
    const text = fc.oneof(
      fc.string({unit: anyCharacter, maxLength: 40}).map(each => each.replaceAll(/[\n\r\0]/g, ' ')),
      fc.constantFrom('$(touch pwned)', "'", '`id`', '\\n', 'END_OF_CONTENT'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, {minLength: 10, maxLength: 30}), async lines => {
        writeFileSync(at('f'), 'before\n');
        await settles(block(...lines));
        expect(readFileSync(at('f'), 'utf8')).toBe(`before\n${written(...lines)}`);
        expect(readdirSync(place)).toEqual(['f']);
      }),
      {numRuns: 4},
    );
  }, 60_000);

  test('cannot have a line that is two', () => {
    expect(() => lineBlock('/etc/hosts', block('a\nb'))).toThrow('not one line');
  });
});
