import {existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {mountsBelow, wipe} from '../../source/practice/wipe.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'groundwork-wipe-'));
});
afterEach(() => rm(place, {recursive: true}));

test('removes a folder with everything in it, and nothing behind its links', () => {
  const outside = join(place, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'note'), 'kept');
  const folder = join(place, 'folder');
  mkdirSync(join(folder, 'deep/closed'), {recursive: true});
  writeFileSync(join(folder, 'deep/closed/file'), '');
  symlinkSync(outside, join(folder, 'link'));
  symlinkSync('/', join(folder, 'deep/root'));
  expect(wipe(folder)).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
  expect(readFileSync(join(outside, 'note'), 'utf8')).toBe('kept');
});

test('has nothing to do where there is nothing', () => {
  expect(wipe(join(place, 'missing'))).toBeUndefined();
});

test('leaves a link to a folder alone', () => {
  mkdirSync(join(place, 'real'));
  symlinkSync(join(place, 'real'), join(place, 'link'));
  expect(wipe(join(place, 'link'))).toContain('is not a folder');
  expect(existsSync(join(place, 'real'))).toBe(true);
});

test('leaves a folder alone in which something is mounted', () => {
  // /proc is a folder that certainly has mounts at it.
  expect(wipe('/proc')).toContain('/proc');
});

test('finds mounts by whole names, also such with blanks', () => {
  const line = (path: string) => `30 29 0:1 / ${path} rw - tmpfs tmpfs rw`;
  const mountinfo = [line('/a/b'), line('/a/bc/d'), line('/a/b/with\\040blank'), ''].join('\n');
  expect(mountsBelow('/a/b', mountinfo)).toEqual(['/a/b', '/a/b/with blank']);
  expect(mountsBelow('/a/bc', mountinfo)).toEqual(['/a/bc/d']);
});
