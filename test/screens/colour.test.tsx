import {expect, test, vi} from 'vitest';

// The library that colours looks at this once, when it is loaded.
vi.hoisted(() => {
  process.env.FORCE_COLOR = '1';
});

import {key, openStage, type StageOptions} from '../support/frames.ts';
import {madeUpServices, smallMemory} from '../support/services.ts';
import {walkThrough} from '../support/walk.ts';

/** Colours of text and of what is behind it; bold and inverse are none. */
const colours = /\u001b\[(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m/;

const written = async (options: StageOptions): Promise<string> => {
  const stage = openStage(
    madeUpServices({checks: [smallMemory], failing: {step: 'wireguard', times: 1, skipCosts: 'The VPN is missing.'}}),
    options,
  );
  await walkThrough(stage, () => {});
  await stage.press(key.ctrlC);
  await stage.ended;
  return stage.bytes();
};

test('screens have colours', async () => {
  expect(await written({})).toMatch(colours);
}, 60_000);

test.each<[string, StageOptions]>([
  ['NO_COLOR is set', {environment: {NO_COLOR: '1'}}],
  ['--no-color was given', {app: {noColor: true}}],
])(
  'screens have none when %s, and can be worked with all the same',
  async (_, options) => {
    expect(await written(options)).not.toMatch(colours);
  },
  60_000,
);
