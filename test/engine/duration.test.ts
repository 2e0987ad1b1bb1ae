import {expect, test} from 'vitest';
import {planSeconds} from '../../source/engine/duration.ts';

const step = (id: string, host: string, estimate: number, ...after: readonly string[]) => ({
  step: id,
  host,
  estimate,
  after,
  resources: [{id: 'a', changes: [{summary: 'change'}]}],
});

test('hosts work side by side, and what waits for another host waits', () => {
  expect(planSeconds([])).toBe(0);
  expect(planSeconds([step('a', 'one', 10), step('a', 'two', 30)])).toBe(30);
  expect(planSeconds([step('a', 'one', 10), step('b', 'one', 5)])).toBe(15);
  expect(
    planSeconds([step('a', 'one', 10), step('a', 'two', 30), step('b', 'one', 5, 'a@two'), step('c', 'one', 20)]),
  ).toBe(35);
});

test('what is in order takes no time, and what is decided later takes its own', () => {
  const settled = {...step('a', 'one', 10), resources: [{id: 'a', changes: []}]};
  expect(planSeconds([settled])).toBe(0);
  expect(planSeconds([{...settled, undecided: 'a key'}])).toBe(10);
  // A step that was left out of the plan is not waited for.
  expect(planSeconds([step('b', 'one', 5, 'gone@two')])).toBe(5);
});
