import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Connection} from '../../source/hosts/connection.ts';
import type {PracticeHost, PracticeHosts} from '../../source/practice/practice-hosts.ts';
import {sh} from '../../source/shell/script.ts';
import {connectTo, practiceFolder, run, sandboxMachine, startedPractice} from '../support/practice.ts';

const tools = sh`. /usr/local/lib/practice/common.sh`;

describe('practice hosts', () => {
  let directory: string;
  let practice: PracticeHosts;
  let [one, two]: Connection[] = [];
  const [first, second] = ['10.0.0.11', '10.0.0.12'];

  beforeAll(async () => {
    directory = await practiceFolder();
    practice = await startedPractice({
      directory,
      hosts: ['one', 'two'].map(name => ({...sandboxMachine, name})),
    });
    [one, two] = await Promise.all(practice.hosts.map((host: PracticeHost) => connectTo(host)));
  }, 60_000);
  afterAll(async () => {
    await Promise.all([one?.close(), two?.close()]);
    await practice.close();
    await rm(directory, {recursive: true});
  });

  const onOne = async (script: ReturnType<typeof sh>) => {
    const {stdout, stderr, code} = await run(
      one as Connection,
      sh`${tools}
${script}`,
    );
    return {stdout, stderr, code};
  };

  test('run commands on each other, with what is typed into them and how they end', async () => {
    expect(
      await onOne(sh`at ${second} sh -c 'hostname; tr a-z A-Z; echo oh >&2; echo from $CALLER; exit 7' <<<word`),
    ).toEqual({
      stdout: `two\nWORD\nfrom ${first}\n`,
      stderr: 'oh\n',
      code: 7,
    });
  });

  test('find nobody at an address that none has', async () => {
    expect(await onOne(sh`at 10.0.0.99 hostname </dev/null`)).toMatchObject({stdout: '', code: 255});
    expect(await onOne(sh`reaches 10.0.0.99 tcp 22`)).toMatchObject({code: 255});
  });

  test('reach what listens on another, as far as its firewall lets them', async () => {
    expect(await onOne(sh`reaches ${second} tcp 22`)).toMatchObject({stdout: 'sshd\n', code: 0});
    expect(await onOne(sh`reaches ${second} tcp 5432`)).toMatchObject({code: 1});
    await run(
      two as Connection,
      sh`apt-get install -y -qq ufw >/dev/null; ufw allow proto tcp from ${second} to any port 22; ufw --force enable`,
    );
    expect(await onOne(sh`reaches ${second} tcp 22`)).toMatchObject({code: 2});
    await run(two as Connection, sh`ufw allow proto tcp from 10.0.0.0/28 to any port 22`);
    expect(await onOne(sh`reaches ${second} tcp 22`)).toMatchObject({stdout: 'sshd\n', code: 0});
  });
});
