import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import stringWidth from 'string-width';
import {expect, onTestFinished, test, vi} from 'vitest';
import {leaksIn, vaultSecrets} from '../support/canary.ts';
import {operatorAt} from '../support/operator.ts';
import {newHome, program} from '../support/program.ts';
import {key, openTerminal, type Screen} from '../support/terminal.ts';

const open = (home: string, ...options: readonly string[]): Screen => {
  const screen = openTerminal(program, ['practice', ...options], {environment: {GROUNDWORK_HOME: home, HOME: home}});
  onTestFinished(() => {
    try {
      process.kill(screen.pid, 'SIGTERM');
    } catch {
      // It has ended.
    }
  });
  return screen;
};

/** What holds on every screen of practice, whatever it shows. */
const look = (screen: Screen, columns = 80, rows = 24): void => {
  expect(screen.text()).toContain('PRACTICE HOSTS');
  expect(screen.lines().length).toBe(rows);
  expect(screen.lines().filter(line => stringWidth(line) > columns)).toEqual([]);
  // A frame that is too tall would have scrolled its head away.
  expect(screen.lines()[0]).toContain('Groundwork');
};

const arrive = async (screen: Screen, title: string | RegExp, milliseconds = 60_000): Promise<void> => {
  await screen.waitFor(title, milliseconds);
  // What is seen may be half of a picture, on its way.
  await vi.waitFor(() => look(screen), {timeout: 10_000});
};

const choose = async (screen: Screen, label: string, title: string | RegExp, milliseconds = 60_000): Promise<void> => {
  await operatorAt(screen).choose(label, title, milliseconds);
  await arrive(screen, title);
};

const confirm = async (screen: Screen, word: string, title: string | RegExp, milliseconds = 60_000): Promise<void> => {
  await operatorAt(screen).confirm(word, title, milliseconds);
  await arrive(screen, title);
};

const goBack = async (screen: Screen, title: string | RegExp): Promise<void> => {
  await operatorAt(screen).leave(title);
  await arrive(screen, title);
};

/** Ends the program by its own row; settles with its exit status. */
const leaveBy = async (screen: Screen, label: string): Promise<number> => {
  await operatorAt(screen).pick(label);
  return screen.waitForExit(60_000);
};

/** Cursor shown, bracketed paste off, and the line discipline of a shell again. */
const expectRestored = (screen: Screen): void => {
  const bytes = screen.bytes();
  expect(bytes.lastIndexOf('\u001b[?25h')).toBeGreaterThan(bytes.lastIndexOf('\u001b[?25l'));
  expect(bytes.lastIndexOf('\u001b[?2004l')).toBeGreaterThanOrEqual(bytes.lastIndexOf('\u001b[?2004h'));
  expect(bytes).not.toContain('\u001b[3J');
};

/** From Home to the plan in Review, by the keys. */
const walkToReview = async (screen: Screen): Promise<void> => {
  await arrive(screen, 'New installation');
  await choose(screen, 'New installation', 'Blueprint and topology');
  await choose(screen, 'Continue', 'Step 2 of 7 · Hosts');
  await choose(screen, 'Add a host', 'Known already');
  await choose(screen, 'sandbox-1', 'not looked at yet');
  await choose(screen, 'Check the hosts', 'SHA256:');
  await confirm(screen, 'yes', 'ready; ');
  await choose(screen, 'Continue', 'Domain and TLS');
  await screen.press(key.ctrlU, 'e2e.test');
  await choose(screen, 'Continue', 'Channels');
  // Back keeps what was answered.
  await goBack(screen, 'e2e.test');
  await choose(screen, 'Continue', 'Step 4 of 7 · Channels');
  await choose(screen, 'Continue', 'What is installed');
  // The ground alone: this is about the way through the screens.
  await screen.press(key.right);
  await arrive(screen, 'no, ground only');
  await choose(screen, 'Continue', 'Step 6 of 7 · Environments');
  await choose(screen, 'Continue', /\d+ changes in 7 steps/);
};

test('from Home to Done, with a failure, a small window, and a break in between', {timeout: 400_000}, async () => {
  const home = newHome();
  const first = open(home, '--fault', 'nginx');
  await walkToReview(first);
  await choose(first, 'Install', 'Type "install"');
  await confirm(first, 'install', 'running');

  first.resize(60, 18);
  await first.waitFor('PRACTICE', 30_000);
  first.resize(100, 40);
  await first.waitFor('PRACTICE', 30_000);
  first.resize(80, 24);
  await arrive(first, /changed/, 120_000);

  await first.press(key.ctrlC);
  await arrive(first, 'Stop the run?');
  expect(await leaveBy(first, 'Stop now')).toBe(5);
  expectRestored(first);

  const second = open(home, '--fault', 'nginx');
  await arrive(second, 'sandbox');
  await choose(second, 'sandbox', 'Go on with the installation');
  await choose(second, 'Go on with the installation', 'A step failed', 240_000);
  expect(second.text()).toContain('nginx reverse proxy on sandbox-1');
  expect(second.text()).toContain('What to do');
  await choose(second, 'Try again', /is installed/, 240_000);
  expect(second.text()).toContain('peers/');
  expect(await leaveBy(second, 'Leave')).toBe(0);
  expectRestored(second);
  expect(second.history()).toContain('is installed');

  const secrets = vaultSecrets(join(home, 'state/practice/state/sandbox/vault.json'));
  expect(Object.keys(secrets).length).toBeGreaterThan(2);
  expect(leaksIn(first.bytes() + second.bytes(), secrets)).toEqual([]);
});

test('keys that arrive together do what they do one by one', {timeout: 180_000}, async () => {
  const screen = open(newHome());
  await arrive(screen, 'New installation');
  await choose(screen, 'New installation', 'Blueprint and topology');
  await choose(screen, 'Continue', 'Step 2 of 7 · Hosts');
  await choose(screen, 'Add a host', 'Known already');
  await operatorAt(screen).goTo('Look at');
  await screen.press(`10.0.0.1${key.backspace}2${key.left}${key.left}x${key.backspace}`);
  await screen.waitFor('10.0.0.2');
  await screen.press(`${key.ctrlU}10.9.9.9${key.ctrlA}1`);
  await screen.waitFor('110.9.9.9');
  await screen.press(`${key.ctrlU}${key.down}${key.down}${key.up}`);
  look(screen);
  await goBack(screen, 'Step 2 of 7 · Hosts');
  await screen.press(key.ctrlC);
  expect(await screen.waitForExit(60_000)).toBe(0);
  expectRestored(screen);
});

test('the terminal is as before when the program has ended', {timeout: 120_000}, async () => {
  const home = newHome();
  const shell = openTerminal('bash', ['--norc', '-c', `stty -g; "${program}" practice; stty -g`], {
    environment: {GROUNDWORK_HOME: home, HOME: home},
  });
  await shell.waitFor('New installation', 60_000);
  await shell.press(key.ctrlC);
  await shell.waitForExit(60_000);
  const settings = shell.history().match(/^[0-9a-f]+(:[0-9a-f]+){10,}/gm) ?? [];
  // The line may be broken by the terminal; the first part tells the modes apart.
  expect(settings.length).toBe(2);
  expect(settings[0]).toBe(settings[1]);
  expect(spawnSync('pgrep', ['-f', home]).stdout.toString()).toBe('');
});
