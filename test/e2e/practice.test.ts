import {expect, test} from 'vitest';
import {groundwork, newHome} from '../support/program.ts';

test.each([
  ['--fault', 'ngin', 'nginx'],
  ['--topology', 'palace', 'sandbox'],
  ['--pace', 'slow', 'number'],
  ['--output', 'xml', 'jsonl'],
])('%s %s is refused with what there is', async (option, value, valid) => {
  const {status, stdout, stderr} = await groundwork(['practice', '--yes', option, value], {home: newHome()});
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(value);
  expect(stderr).toContain(valid);
});
