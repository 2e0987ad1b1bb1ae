import {randomBytes} from 'node:crypto';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type DetachedInput, jobOf, runDetached} from '../../source/engine/detached.ts';
import {jobsFolder, unitOf} from '../../source/engine/detached-scripts.ts';
import type {Failure} from '../../source/engine/failure.ts';
import {connect} from '../../source/hosts/connect.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {ok, type Result} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {cliConnection, type LabHost, lab, labDown, labExec, labKey, labKnownHosts, labUp} from '../support/lab.ts';

const sleep = (milliseconds: number, signal?: AbortSignal) =>
  new Promise<void>(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

const clock = {now: () => new Date(), sleep};

type Options = Partial<Pick<DetachedInput, 'signal' | 'timeoutMs' | 'onOutput'>> & {
  readonly purpose?: string;
  readonly connect?: () => Promise<Result<Connection, Failure>>;
  readonly lost?: () => Promise<void>;
};

/** Every script over a connection of its own, so that nothing but the host itself carries a job on. */
const job = (host: LabHost, script: Script, {purpose = 'a test', connect: way, ...rest}: Options = {}) =>
  runDetached({
    purpose,
    host: host.name,
    script,
    connect: way ?? (async () => ok(cliConnection(host))),
    lost: async () => {},
    clock,
    random: () => randomBytes(12).toString('hex'),
    ...rest,
  });

const until = async (condition: () => Promise<boolean>) => {
  for (let tries = 0; tries < 150; tries += 1) {
    if (await condition()) return;
    await sleep(100);
  }
  throw new Error('did not happen in 15 seconds');
};

const on = async (host: LabHost, script: string) => (await labExec(host, script)).stdout.trim();
const exists = async (host: LabHost, path: string) => (await on(host, `[ -e ${path} ] && echo yes`)) === 'yes';
const jobsLeft = (host: LabHost) => on(host, `ls -A ${jobsFolder}`);

const kinds = [
  {title: 'a host with systemd', prefix: 'jobs', flags: []},
  {title: 'a host without systemd', prefix: 'plainjobs', flags: ['--light']},
];

describe.each(kinds)('a job on $title', ({prefix, flags}) => {
  let host: LabHost;
  beforeAll(async () => {
    [host] = (await labUp(1, {prefix, flags})) as [LabHost];
  });
  afterAll(async () => {
    await labDown(host ? [host] : []);
  });

  test('answers with its exit status and all that it printed, in whole lines, and leaves nothing behind', async () => {
    const chunks: string[] = [];
    const ran = await job(
      host,
      sh`printf 'one\ntw'; printf 'o\n' >&2; printf 'it'"'"'s $HOME and no newline'; (exit 7)`,
      {onOutput: chunk => chunks.push(chunk)},
    );
    expect(ran).toMatchObject({ok: true, value: {code: 7, truncated: false}});
    expect(ran.ok && ran.value.stdout).toBe("one\ntwo\nit's $HOME and no newline\n");
    expect(chunks.join('')).toBe("one\ntwo\nit's $HOME and no newline\n");
    expect(await jobsLeft(host)).toBe('');
  });

  test('runs as root in a clean shell, and its script is in no argument list and readable for root only', async () => {
    const seen = job(host, sh`id -u; pwd; echo "$PATH"; echo canary-4711 >/dev/null; sleep 4`, {purpose: 'clean'});
    await until(() => exists(host, `${jobsFolder}/clean-*/pid`));
    expect(await on(host, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "')).not.toContain('canary-4711');
    expect(await on(host, `stat -c %a ${jobsFolder} ${jobsFolder}/*/script`)).toBe('700\n600');
    const ran = await seen;
    expect(ran.ok && ran.value.stdout).toBe('0\n/\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
  });

  test('goes on when its connection dies, and is found again with the rest of its output', async () => {
    let connections = 0;
    const lines: string[] = [];
    const cutOnce = async () => {
      connections += 1;
      return ok(cliConnection(host));
    };
    const running = job(
      host,
      sh`for n in 1 2 3 4 5 6; do echo "line $n"; sleep 0.5; done; echo once >>/root/cut-count`,
      {
        purpose: 'cut',
        connect: cutOnce,
        onOutput: chunk => lines.push(chunk.trim()),
      },
    );
    await until(async () => lines.length >= 2);
    await labExec(host, "pkill -9 -f 'sshd: ubuntu'");
    const ran = await running;
    expect(ran).toMatchObject({ok: true, value: {code: 0}});
    expect(ran.ok && ran.value.stdout).toBe('line 1\nline 2\nline 3\nline 4\nline 5\nline 6\n');
    expect(lines.filter(line => line.includes('trying to reach it again'))).toHaveLength(1);
    expect(connections).toBeGreaterThan(2);
    expect(await on(host, 'cat /root/cut-count')).toBe('once');
  });

  test('works the same over the connection of the program itself, and outlives it', async () => {
    const login = {name: host.name, reach: 'ssh', address: host.address, port: host.port, user: 'ubuntu'} as const;
    const opened = () => connect({...login, identityFile: labKey}, {knownHostsFile: labKnownHosts, openSsh: false});
    let connections = 0;
    let open: Promise<Result<Connection, Failure>> | undefined;
    const lines: string[] = [];
    const ran = await job(host, sh`for n in 1 2 3 4; do echo "line $n"; sleep 0.5; done`, {
      purpose: 'own connection',
      connect: () => {
        if (!open) connections += 1;
        open ??= opened();
        return open;
      },
      lost: async () => {
        open = undefined;
      },
      onOutput: chunk => {
        lines.push(chunk);
        if (lines.length === 1) void labExec(host, "pkill -9 -f 'sshd: ubuntu'");
      },
    });
    expect(ran).toMatchObject({ok: true, value: {code: 0, stdout: 'line 1\nline 2\nline 3\nline 4\n'}});
    expect(connections).toBe(2);
    const last = await open;
    if (last?.ok) await last.value.close();
    expect(await jobsLeft(host)).toBe('');
  });

  test('is taken up by a later process that asks for the same, and not begun twice', async () => {
    const script = sh`echo begun >>/root/taken-up; sleep 3; echo done`;
    // As good as a killed process: nothing is heard of it after the start.
    const run = deadAfterTheFirst(host);
    const abandoned = job(host, script, {
      purpose: 'taken up',
      connect: async () => ok({...cliConnection(host), run}),
    });
    await until(() => exists(host, '/root/taken-up'));
    const ran = await job(host, script, {purpose: 'taken up'});
    expect(ran).toMatchObject({ok: true, value: {code: 0, stdout: 'done\n'}});
    expect(await on(host, 'cat /root/taken-up')).toBe('begun');
    expect(await Promise.race([abandoned, sleep(10).then(() => 'never answered')])).toBe('never answered');
  });

  test('waits for a job of another script for the same purpose, then runs its own', async () => {
    const first = job(host, sh`sleep 2; echo first >>/root/turns`, {purpose: 'turns'});
    await until(async () => (await jobsLeft(host)) !== '');
    const second = await job(host, sh`echo second >>/root/turns`, {purpose: 'turns'});
    expect(second).toMatchObject({ok: true, value: {code: 0}});
    await first;
    expect(await on(host, 'cat /root/turns')).toBe('first\nsecond');
  });

  test('a result that an earlier process left behind is not taken for one of now', async () => {
    const script = sh`echo ran >>/root/stale`;
    await job(host, script, {
      purpose: 'stale',
      connect: async () => ok({...cliConnection(host), run: withoutForgetting(host)}),
    });
    expect(await jobsLeft(host)).toBe(jobOf('stale', script).id);
    await job(host, script, {purpose: 'stale'});
    expect(await on(host, 'cat /root/stale')).toBe('ran\nran');
    expect(await jobsLeft(host)).toBe('');
  });

  test('ends with all its children when it is stopped', async () => {
    const stop = new AbortController();
    const running = job(host, sh`sleep 4713 & sleep 4713; echo never >/root/never`, {
      purpose: 'stopped',
      signal: stop.signal,
    });
    await until(async () => (await on(host, 'pgrep -fc "sleep 4713"')) === '2');
    stop.abort();
    expect(await running).toMatchObject({ok: false, error: {kind: 'cancelled'}});
    expect(await on(host, 'pgrep -fc "sleep 4713"')).toBe('0');
    expect(await jobsLeft(host)).toBe('');
  });

  test('ends when its time is over', async () => {
    const ran = await job(host, sh`sleep 4714`, {purpose: 'slow', timeoutMs: 1500});
    expect(ran).toMatchObject({ok: false, error: {kind: 'timeout'}});
    expect(await on(host, 'pgrep -fc "sleep 4714"')).toBe('0');
  });

  test('that is killed from outside is a failure that may pass', async () => {
    const script = sh`echo working; sleep 4715`;
    const running = job(host, script, {purpose: 'killed'});
    await until(async () => (await on(host, 'pgrep -fc "sleep 4715"')) === '1');
    await labExec(
      host,
      `systemctl kill --signal=KILL ${unitOf(jobOf('killed', script).id)} || pkill -9 -f ${jobsFolder}; pkill -9 -f 'sleep 4715'`,
    );
    expect(await running).toMatchObject({
      ok: false,
      error: {
        kind: 'command',
        transient: true,
        tail: ['working'],
        message: expect.stringContaining('without a result'),
      },
    });
    expect(await jobsLeft(host)).toBe(jobOf('killed', script).id);
    expect(await job(host, sh`echo again`, {purpose: 'killed'})).toMatchObject({ok: true, value: {stdout: 'again\n'}});
    expect(await jobsLeft(host)).toBe('');
  });

  test('that a restart of the host cut off is a failure that may pass, and can be begun again', async () => {
    const lines: string[] = [];
    const script = sh`echo working; [ -e /root/restarted ] || { touch /root/restarted; sleep 600; }`;
    const running = job(host, script, {purpose: 'restart', onOutput: chunk => lines.push(chunk)});
    await until(async () => lines.includes('working\n'));
    await lab(['kill', host.name]);
    await lab(['restart', host.name]);
    expect(await running).toMatchObject({
      ok: false,
      error: {transient: true, message: expect.stringContaining('restarted')},
    });
    expect(await job(host, script, {purpose: 'restart'})).toMatchObject({
      ok: true,
      value: {code: 0, stdout: 'working\n'},
    });
  });
});

const deadAfterTheFirst = (host: LabHost): Connection['run'] => {
  let calls = 0;
  return async (script, options) => {
    calls += 1;
    return calls === 1 ? cliConnection(host).run(script, options) : new Promise(() => {});
  };
};

const withoutForgetting =
  (host: LabHost): Connection['run'] =>
  async (script, options) =>
    script.text.startsWith('rm -rf')
      ? {ok: false, error: {kind: 'connection-lost', message: 'cut'}}
      : cliConnection(host).run(script, options);
