import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {cleanLine, cleanText} from '../../source/engine/control-sequences.ts';
import {eventRedactor, mask, redactDeep, redactor} from '../../source/engine/redact.ts';

const redact = (secrets: readonly string[], text: string) => redactor(() => secrets)(text);
const clean = (secrets: readonly string[], text: string) =>
  redactDeep(
    text,
    redactor(() => secrets),
  );

/** Generated passwords, keys and passphrases: at least eight characters that a terminal can show. */
const secret = fc
  .string({minLength: 8, maxLength: 60, unit: 'grapheme-ascii'})
  .map(text => text.trim())
  .filter(text => text.length >= 8);
const around = fc.string({maxLength: 40, unit: 'grapheme-ascii'});
/** What can be pushed between the characters of a line without being seen on a terminal. */
const unseen = fc.constantFrom(
  '\u001b[31m',
  '\u001b[0K',
  '\u001b]0;title\u0007',
  '\u009b1m',
  '\u0007',
  '\u0000',
  '\u202e',
);

describe('a known secret', () => {
  test('is in no text any more, whatever stands around it', () => {
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        fc.pre(!mask.includes(value));
        expect(redact([value], `${before}${value}${after}`)).not.toContain(value);
      }),
    );
  });

  test('is found with control sequences inside it', () => {
    fc.assert(
      fc.property(secret, unseen, fc.nat(), (value, hidden, place) => {
        const at = place % value.length;
        const text = `x ${value.slice(0, at)}${hidden}${value.slice(at)} y`;
        expect(clean([value], text)).not.toContain(value);
      }),
    );
  });

  test('is found in base64, alone or in the middle of other bytes', () => {
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const inner = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '');
        const encoded = inner(`${before}${value}${after}`);
        const masked = redact([value], `data: ${encoded}`);
        const shown = Buffer.from(masked.slice('data: '.length).split(mask).join(''), 'base64').toString('latin1');
        expect(masked).toContain(mask);
        expect(shown).not.toContain(value);
      }),
    );
  });

  test('is found quoted for JSON, for a shell, and for a URL', () => {
    fc.assert(
      fc.property(secret, value => {
        for (const form of [
          JSON.stringify(value).slice(1, -1),
          value.replaceAll("'", `'\\''`),
          encodeURIComponent(value),
        ])
          expect(redact([value], `x${form}y`)).toBe(redact([value], `x${value}y`));
      }),
    );
  });

  test('of several lines is found line by line', () => {
    const pem =
      '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUcanary\nQmFzZTY0SXNOb3RBU2VjcmV0\n-----END CERTIFICATE-----\n';
    expect(redact([pem], 'a line: QmFzZTY0SXNOb3RBU2VjcmV0')).toBe(`a line: ${mask}`);
    expect(redact([pem], 'public is -----BEGIN CERTIFICATE-----')).toBe('public is -----BEGIN CERTIFICATE-----');
  });

  test('broken into lines by base64 is found', () => {
    const value = 'canary '.repeat(30);
    const broken = Buffer.from(value)
      .toString('base64')
      .replace(/(.{76})/g, '$1\n');
    const masked = broken.split('\n').map(line => redact([value], line));
    expect(masked.slice(0, -1)).toEqual(masked.slice(0, -1).map(() => mask));
  });

  test('that is short is masked as a word, and words that hold it stay', () => {
    expect(redact(['lab'], 'password lab for lab.test, labels')).toBe(`password ${mask} for lab.test, labels`);
  });

  test('that holds another one is masked whole', () => {
    expect(redact(['canary', 'canary-bird'], 'a canary-bird and a canary')).toBe(`a ${mask} and a ${mask}`);
  });

  test('that becomes known later is masked from then on', () => {
    const known: string[] = [];
    const mine = redactor(() => known);
    expect(mine('late-canary')).toBe('late-canary');
    known.push('late-canary');
    expect(mine('late-canary')).toBe(mask);
  });

  test('is not cut in half by the limit of a line before it is recognised', () => {
    const value = 'canary-'.repeat(20);
    const text = clean([value], `${'x'.repeat(1990)}${value}`);
    expect(text).not.toContain('canary');
    expect(text.length).toBeLessThanOrEqual(2001);
  });
});

describe('what looks like a secret', () => {
  test.each([
    ['password=hunter2x', `password=${mask}`],
    ['DB_PASSWORD="two words"', `DB_PASSWORD=${mask}`],
    ['{"token": "abc\\"def", "port": 5}', `{"token": ${mask}, "port": 5}`],
    ['PrivateKey = aGVsbG8gd29ybGQ=', `PrivateKey = ${mask}`],
    ['--password hunter2x --port 5', `--password ${mask} --port 5`],
    ['Authorization: Bearer abcdefghijklmnop.qrs', `Authorization: Bearer ${mask}`],
    ['https://me:hunter2x@example.org/', `https://me:${mask}@example.org/`],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\nrest', `${mask}\nrest`],
  ])('%s is masked', (text, masked) => {
    expect(redact([], text)).toBe(masked);
  });

  test.each([
    'PublicKey = aGVsbG8=',
    'passwordless login works',
    'the basic set of packages',
    'http://10.0.0.1:3142/x@y',
  ])('%s stays', text => {
    expect(redact([], text)).toBe(text);
  });

  test('a private key that comes line by line is masked until it ends, and only there', () => {
    const event = eventRedactor(redactor(() => []));
    const log = (line: string, host = 'one') => event({type: 'log', step: 's', host, line}).line;
    expect(log('-----BEGIN EC PRIVATE KEY-----')).toBe(mask);
    expect(log('MHcCAQEEIBcanary')).toBe(mask);
    expect(log('MHcCAQEEIB', 'two')).toBe('MHcCAQEEIB');
    expect(log('-----END EC PRIVATE KEY-----')).toBe(mask);
    expect(log('MHcCAQEEIBcanary')).toBe('MHcCAQEEIBcanary');
    log('-----BEGIN EC PRIVATE KEY-----');
    expect(log('this is no part of a key any more.')).toBe('this is no part of a key any more.');
  });
});

describe('an event', () => {
  test('keeps the names of the program, also when a password is one of them', () => {
    const event = {type: 'log', step: 'nginx', host: 'admin', line: 'nginx of admin started'};
    expect(
      redactDeep(
        event,
        redactor(() => ['nginx', 'admin']),
      ),
    ).toEqual({
      ...event,
      line: `${mask} of ${mask} started`,
    });
  });

  test('is clean at every depth', () => {
    const failure = {
      message: 'a canary-1234',
      tail: ['\u001b[2Jcanary-1234'],
      more: {detail: [1, null, 'canary-1234']},
    };
    expect(
      redactDeep(
        {failure},
        redactor(() => ['canary-1234']),
      ),
    ).toEqual({
      failure: {message: `a ${mask}`, tail: [mask], more: {detail: [1, null, mask]}},
    });
  });
});

describe('remote output', () => {
  test('holds nothing that a terminal would act on, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 200}), text => {
        expect(cleanLine(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
        expect(cleanText(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });

  test.each([
    ['10%\r20%\r100% done\r', '100% done'],
    ['\u001b[1;31mred\u001b[0m text', 'red text'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001bP1;2q...sixel...\u001b\\text', 'text'],
    ['\u001b]52;c;Y2xpcGJvYXJk', ''],
    ['a\tb\bc', 'a  bc'],
    ['grün 你好', 'grün 你好'],
  ])('%j is shown as %j', (line, shown) => {
    expect(cleanLine(line)).toBe(shown);
  });
});
