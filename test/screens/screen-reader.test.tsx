import {describe, expect, test} from 'vitest';
import {key, openStage, type StageOptions} from '../support/frames.ts';
import {madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const settings: [string, StageOptions][] = [
  ['--screen-reader', {app: {screenReader: true, deployment: 'sandbox'}}],
  ['INK_SCREEN_READER', {app: {deployment: 'sandbox'}, environment: {INK_SCREEN_READER: 'true'}}],
];

describe.each(settings)('for a screen reader (%s)', (_, options) => {
  const open = () => openStage(madeUpServices({saved: [answered({route: 'domain'})]}), options);

  test('everything is plain lines: no frame, no colour, nothing erased or drawn over', async () => {
    const stage = open();
    await stage.waitFor('Now at Domain');
    await stage.press(key.down, key.down, key.up, key.f1, 'x');
    await stage.press(key.ctrlC);
    await stage.ended;
    // Bracketed paste on and off, and the cursor shown at the end, is all that is left of control sequences.
    expect(stage.bytes().replaceAll(/\u001b\[\?(?:2004[hl]|25h)/g, '')).toMatch(/^[\r\n -~]*$/);
    expect(stage.bytes()).not.toMatch(/-{5}/);
  });

  test('a line is said once, and only what is new is said', async () => {
    const stage = open();
    await stage.waitFor('Now at Domain');
    const before = stage.bytes().length;
    await stage.press(key.down);
    const said = stage.bytes().slice(before).trim().split('\r\n');
    expect(said).toEqual([
      'Domain: openg2p.test.',
      expect.stringMatching(/^Now at Certificates: from a CA of its own\./),
    ]);
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('what is typed is echoed, and read back when one goes on', async () => {
    const stage = open();
    await stage.waitFor('Now at Domain, a text field that held openg2p.test.');
    const before = stage.bytes().length;
    await stage.press('a', 'b', key.backspace);
    expect(stage.bytes().slice(before)).toBe('ab\b \b');
    await stage.press(key.down);
    await stage.waitFor('Domain: openg2p.testa.');
    await stage.press(key.ctrlC);
    await stage.ended;
  });
});

test('a whole installation can be listened to', async () => {
  const services = madeUpServices({saved: [answered()], failing: {step: 'wireguard', times: 1}});
  const stage = openStage(services, {app: {screenReader: true, deployment: 'sandbox'}});
  await stage.waitFor('Plan: 13 changes');
  await stage.press(`${key.down.repeat(3)}${key.enter}`);
  await stage.waitFor('Type "install"');
  await stage.press(`install${key.enter}`, key.enter);
  await stage.waitFor('FAILED: WireGuard server on sandbox-1');
  await stage.press(key.enter);
  await stage.waitFor('sandbox is installed: 12 changes');
  await stage.press(key.ctrlC);
  await stage.ended;
  expect(stage.history()).toContain('State done; Step nginx; Host sandbox-1');
});
