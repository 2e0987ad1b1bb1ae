import {describe, expect, test, vi} from 'vitest';
import {key, openStage, type Stage} from '../support/frames.ts';
import {type MadeUp, madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const domainScreen = async (): Promise<{stage: Stage; domain: () => string; services: MadeUp}> => {
  const services = madeUpServices({saved: [answered({route: 'domain'})]});
  const stage = openStage(services, {app: {deployment: 'sandbox'}});
  await stage.waitFor('openg2p.test');
  stage.settle();
  return {stage, services, domain: () => services.stored()[0]?.deployment.domain ?? ''};
};

describe('a text field', () => {
  test.each([
    ['letters and Backspace in one piece', 'abc\u007f\u007fx', 'openg2p.testax'],
    ['Ctrl-U, then text', '\u0015site.test', 'site.test'],
    ['Ctrl-W', '\u0017example', 'openg2p.example'],
    ['Ctrl-A and Ctrl-K', '\u0001\u000bx.test', 'x.test'],
    ['Home, Delete, End', `${key.home}${key.delete}${key.delete}${key.end}x`, 'eng2p.testx'],
    ['left, left, text', `${key.left}${key.left}x`, 'openg2p.texst'],
    ['a bracketed paste with a line end', '\u0015\u001b[200~pasted.test\n\u001b[201~', 'pasted.test'],
    [
      'text that was sent at once',
      `\u0015${'very-long-name-'.repeat(8)}x.test`,
      `${'very-long-name-'.repeat(8)}x.test`,
    ],
    ['an emoji and Backspace', '👩‍👩‍👧\u007f', 'openg2p.test'],
    ['wide characters', '\u0015日本.test', '日本.test'],
    ['Alt-B', '\u001bbx', 'openg2p.xtest'],
  ])('takes %s', async (_, chunk, wanted) => {
    const {stage, domain} = await domainScreen();
    await stage.press(chunk);
    await vi.waitFor(() => expect(domain()).toBe(wanted));
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('takes an arrow that comes in two pieces', async () => {
    const {stage, domain} = await domainScreen();
    stage.send('\u001b');
    await new Promise(resolve => setTimeout(resolve, 30));
    stage.send('[D');
    await stage.press('x');
    await vi.waitFor(() => expect(domain()).toBe('openg2p.tesxt'));
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('says while one types what is wrong, and bars the way on', async () => {
    const {stage} = await domainScreen();
    await stage.press('\u0015nodots');
    await stage.waitFor('! must be a domain name');
    await stage.press(`${key.down.repeat(4)}${key.enter}`);
    await stage.waitFor('! Domain: must be a domain name');
    expect(stage.text()).toContain('Step 3 of 7');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('types ? and offers the keys by F1', async () => {
    const {stage, domain} = await domainScreen();
    await stage.press('?');
    await vi.waitFor(() => expect(domain()).toBe('openg2p.test?'));
    await stage.press(key.f1);
    await stage.waitFor('In a text field');
    await stage.press('x');
    await stage.waitFor('Step 3 of 7 · Domain and TLS');
    await stage.press(key.ctrlG);
    await stage.waitFor('In a text field');
    await stage.press('q', key.ctrlC);
    await stage.ended;
    await vi.waitFor(() => expect(domain()).toBe('openg2p.test?'));
  });

  test('keeps what is no number yet', async () => {
    const {stage, services} = await domainScreen();
    await stage.press(`${key.down}${key.down}\u0015`);
    await stage.waitFor(/Valid for, days/);
    await stage.press('4x');
    await stage.waitFor('4x');
    await stage.press('\u007f00');
    await vi.waitFor(() => expect(services.stored()[0]?.deployment.tls).toMatchObject({leafDays: 400}));
    await stage.press(key.ctrlC);
    await stage.ended;
  });
});

describe('keys that come faster than screens', () => {
  test('choose what they were aimed at, all in one piece', async () => {
    const stage = openStage(madeUpServices({saved: [answered()]}));
    await stage.waitFor('New installation');
    stage.settle();
    await stage.press(`${key.down}${key.down}${key.enter}`);
    await stage.waitFor('for example prod-config.yaml');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('meet one screen only: the second Enter of two is dropped', async () => {
    const stage = openStage(madeUpServices());
    await stage.waitFor('New installation');
    stage.settle();
    stage.send(key.enter);
    stage.send(key.enter);
    await stage.waitFor('Step 1 of 7');
    await new Promise(resolve => setTimeout(resolve, 150));
    expect(stage.text()).toContain('Step 1 of 7');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('do not choose by a digit', async () => {
    const stage = openStage(
      madeUpServices({saved: [answered({lastRun: {run: 'r', outcome: 'succeeded', at: '2026-11-01'}})]}),
    );
    await stage.waitFor('New installation');
    await stage.press(key.enter);
    await stage.waitFor('Look again');
    await stage.press('3', '4', '5');
    expect(stage.text()).toContain('Look again');
    expect(stage.text()).not.toContain('Type "sandbox"');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('with a list that was chosen in by arrows in one piece', async () => {
    const services = madeUpServices({saved: [answered({lastRun: {run: 'r', outcome: 'succeeded', at: '2026-11-01'}})]});
    const stage = openStage(services);
    await stage.waitFor('New installation');
    await stage.press(key.enter);
    await stage.waitFor('Look again');
    await stage.press(`${key.down.repeat(5)}${key.enter}`);
    await stage.waitFor('Type "sandbox"');
    await stage.press(key.ctrlC);
    await stage.ended;
  });
});
