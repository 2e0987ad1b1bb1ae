import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {HostSpec} from '../../source/deployment/schema.ts';
import type {Failure} from '../../source/engine/failure.ts';
import type {FactsProbe} from '../../source/engine/look.ts';
import type {Connection, Output, RunOptions} from '../../source/hosts/connection.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {sampleFacts} from './facts.ts';

/** Where a connection breaks: before the script of this number reaches the host, or when its answer is on the way back. */
export type Cut = {readonly exec: number; readonly when: 'before' | 'after'};

/** Hosts whose state is the files of a folder each, on which real shells run. */
export type FakeHosts = {
  readonly connect: (host: HostSpec, signal?: AbortSignal) => Promise<Result<Connection, Failure>>;
  /** Scripts that were run until now, on all hosts or one. */
  readonly execs: (host?: string) => number;
  readonly logins: () => number;
  readonly files: (host: string) => Readonly<Record<string, string>>;
  readonly folder: (host: string) => string;
  /** Breaks the connection once. */
  readonly cutAt: (cut: Cut) => void;
  /** From this exec on nothing is answered any more, as when the installer itself is gone. */
  readonly killAt: (exec: number) => void;
  /** What was killed stays silent; connections that are opened from now on work. */
  readonly startAnew: () => void;
  /** Whether the host answers at all. */
  readonly setDown: (host: string, down: boolean) => void;
  readonly remove: () => void;
};

const lost = (host: string): Failure => ({
  kind: 'connection-lost',
  host,
  message: `The connection to ${host} was lost.`,
});

const runBash = (folder: string, text: string, {signal, onOutput}: RunOptions): Promise<Output | 'cancelled'> =>
  new Promise(resolve => {
    const child = spawn('bash', ['-s'], {cwd: folder, detached: true});
    let [stdout, stderr] = ['', ''];
    const stop = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
    signal?.addEventListener('abort', stop, {once: true});
    child.stdout.on('data', chunk => {
      stdout += chunk;
      onOutput?.('stdout', String(chunk));
    });
    child.stderr.on('data', chunk => {
      stderr += chunk;
      onOutput?.('stderr', String(chunk));
    });
    child.on('close', code => {
      signal?.removeEventListener('abort', stop);
      resolve(signal?.aborted ? 'cancelled' : {code: code ?? 137, stdout, stderr, truncated: false});
    });
    child.stdin.end(text);
  });

export const fakeHosts = (): FakeHosts => {
  const root = mkdtempSync(join(tmpdir(), 'groundwork-hosts-'));
  const counts = new Map<string, number>();
  const down = new Set<string>();
  let total = 0;
  let logins = 0;
  let generation = 0;
  let cut: Cut | undefined;
  let hang = Number.POSITIVE_INFINITY;
  const folderOf = (host: string): string => {
    const path = join(root, host);
    mkdirSync(path, {recursive: true});
    return path;
  };
  return {
    connect: async ({name}) => {
      logins += 1;
      if (down.has(name)) return err({kind: 'unreachable', host: name, message: `No answer from ${name}.`});
      let broken = false;
      const born = generation;
      const silence = () => new Promise<never>(() => {});
      return ok({
        host: name,
        address: name,
        user: 'root',
        run: async (given: Script, options: RunOptions = {}) => {
          if (born !== generation) return silence();
          if (options.signal?.aborted) return err({kind: 'cancelled', host: name, message: 'Stopped.'});
          if (broken || down.has(name)) return err(lost(name));
          total += 1;
          const mine = total;
          counts.set(name, (counts.get(name) ?? 0) + 1);
          if (mine > hang) return silence();
          const here = cut?.exec === mine ? cut : undefined;
          if (here) broken = true;
          if (here?.when === 'before') return err(lost(name));
          const output = await runBash(folderOf(name), given.text, options);
          if (mine === hang || born !== generation) return silence();
          if (here || broken) return err(lost(name));
          return output === 'cancelled' ? err({kind: 'cancelled', host: name, message: 'Stopped.'}) : ok(output);
        },
        close: async () => {},
      });
    },
    execs: host => (host === undefined ? total : (counts.get(host) ?? 0)),
    logins: () => logins,
    files: host =>
      Object.fromEntries(
        readdirSync(folderOf(host))
          .toSorted()
          .map(name => [name, readFileSync(join(folderOf(host), name), 'utf8')]),
      ),
    folder: folderOf,
    cutAt: given => {
      cut = given;
    },
    killAt: exec => {
      hang = exec;
    },
    startAnew: () => {
      hang = Number.POSITIVE_INFINITY;
      generation += 1;
    },
    setDown: (host, isDown) => {
      if (isDown) down.add(host);
      else down.delete(host);
    },
    remove: () => {
      if (existsSync(root)) rmSync(root, {recursive: true});
    },
  };
};

/** A file of the host's folder that should hold a text. */
export const note = (name: string, content: string): Resource =>
  resource({
    id: `note ${name}`,
    doing: `writing ${name}`,
    probe: sh`[ -e ${name} ] && cat ${name} || echo absent`,
    read: ({stdout}) => ok(stdout),
    diff: state => (state === content ? [] : [{summary: state === 'absent\n' ? `create ${name}` : `change ${name}`}]),
    apply: () => script(sh`printf %s ${content} >${name}`),
  });

/** A value that is made on the host once and that others need. */
export const made = (name: string, product: string, value: Script): Resource =>
  resource({
    id: `made ${name}`,
    doing: `making ${name}`,
    probe: sh`cat ${name} 2>/dev/null || true`,
    read: ({stdout}) => ok(stdout.trim()),
    diff: state => (state ? [] : [{summary: `make ${name}`}]),
    products: state => (state ? {[product]: state} : {}),
    apply: () => script(sh`[ -e ${name} ] || { ${value}; } >${name}`),
  });

/** The facts of a fake host: a sample with the host's own `.facts` over it. */
export const fakeFacts: FactsProbe = {
  script: sh`cat .facts 2>/dev/null || echo '{}'`,
  parse: stdout => {
    try {
      return ok(sampleFacts(JSON.parse(stdout)));
    } catch {
      return err('these are no facts');
    }
  },
};

/** A resource whose apply is a script that may fail. */
export const command = (name: string, text: string): Resource =>
  resource({
    id: `command ${name}`,
    doing: `running ${name}`,
    probe: sh`[ -e ${name} ] && echo there || echo absent`,
    read: ({stdout}) => ok(stdout.trim()),
    diff: state => (state === 'there' ? [] : [{summary: `run ${name}`}]),
    apply: () => script({kind: 'script', text}),
  });
