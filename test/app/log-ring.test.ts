import fc from 'fast-check';
import {expect, test} from 'vitest';
import {createLogRing} from '../../source/app/log-ring.ts';

test('a ring keeps the last lines in their order, however many came', () => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 20}), fc.integer({min: 0, max: 60}), (capacity, count) => {
      const ring = createLogRing(capacity);
      const lines = Array.from({length: count}, (_, index) => `line ${index}`);
      for (const line of lines) ring.push(line);
      expect(ring.lines()).toEqual(lines.slice(-capacity));
    }),
  );
});
