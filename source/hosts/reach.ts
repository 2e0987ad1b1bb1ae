import type {HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import type {Result} from '../result.ts';
import type {CheckResult} from './check.ts';
import type {Connection} from './connection.ts';
import {callScript, listenScript, listenSeconds, type Port, type Target} from './reach-script.ts';

/** A connection that one machine of a deployment will make to another. */
export type Opening = Port & {
  readonly from: HostSpec;
  readonly to: HostSpec;
  /** What for, as the operator says it: `NFS`. */
  readonly purpose: string;
};

export type Connect = (host: HostSpec) => Promise<Result<Connection, Failure>>;

/** How the ports of a host stand while it is called: listened to by us, or by a program that is there. */
type Listening = {
  readonly ports: ReadonlyMap<string, 'open' | 'served' | string>;
  readonly firewalled: boolean;
  readonly end: () => Promise<void>;
};

const portText = ({protocol, port}: Port): string => `${protocol}/${port}`;

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

/** Opens listeners on a host and comes back when they listen; undefined when they could not be started. */
const listenOn = async (
  connection: Connection,
  host: HostSpec,
  ports: readonly Port[],
  signal: AbortSignal,
): Promise<Listening | undefined> => {
  const over = new AbortController();
  let said = '';
  const ready = Promise.withResolvers<boolean>();
  const ran = connection.run(listenScript(host.privateAddress, ports), {
    signal: AbortSignal.any([signal, over.signal]),
    timeoutMs: (listenSeconds + 10) * 1000,
    onOutput: (stream, chunk) => {
      if (stream === 'stdout') said += chunk;
      if (/^reach ready$/m.test(said)) ready.resolve(true);
    },
  });
  void ran.then(() => ready.resolve(false));
  const end = async (): Promise<void> => {
    over.abort();
    await ran;
  };
  if (!(await ready.promise)) {
    await end();
    return undefined;
  }
  const lines = [...said.matchAll(/^reach ((?:tcp|udp)\/\d+) (.*)$/gm)];
  return {
    ports: new Map(lines.map(([, port = '', state = '']) => [port, printable(state)])),
    firewalled: /^reach firewalled$/m.test(said),
    end,
  };
};

type Called = {readonly answer: 'yes' | 'no' | 'small'; readonly errno: number; readonly words: string};

const callFrom = async (
  connection: Connection,
  host: HostSpec,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Called>> => {
  const ran = await connection.run(callScript(host.privateAddress, targets), {signal, timeoutMs: 30_000});
  const lines = ran.ok ? [...ran.value.stdout.matchAll(/^reach (\S+ \S+) (yes|no|small)(?: (\d+) (.*))?$/gm)] : [];
  return new Map(
    lines.map(([, target = '', answer, errno = '0', words = '']) => [
      target,
      {answer: answer as Called['answer'], errno: Number(errno), words: printable(words)},
    ]),
  );
};

/** ECONNREFUSED: a packet came back that says no. */
const refused = 111;
/** EADDRNOTAVAIL, on the machine that calls. */
const notOurs = 99;

const wordsFor = ({errno, words}: Called): string => {
  if (errno === refused) return 'refused';
  if (errno === notOurs) return 'the private address is not on this host';
  // ETIMEDOUT and IO::Socket's own limit.
  return errno === 110 || /timed? ?out|in progress/i.test(words) ? 'no answer' : words;
};

const whole = (opening: Opening): string =>
  `${opening.protocol.toUpperCase()} port ${opening.port} from ${opening.from.name} (${opening.from.privateAddress}) to ${opening.to.name} (${opening.to.privateAddress})`;

const resultOf = (opening: Opening, called: Called | undefined, listening: Listening): CheckResult => {
  const {from, to, port, protocol, purpose} = opening;
  const check = {
    id: reachId(opening),
    host: from.name,
    title: `${to.name} is reached at port ${port}${protocol === 'udp' ? '/udp' : ''} for ${purpose}`,
    severity: 'error' as const,
    acceptable: true,
    needed: 'an answer',
  };
  const state = listening.ports.get(portText(opening)) ?? '';
  if (called?.answer === 'yes') {
    const found = state === 'served' ? 'answers; a program listens there already' : 'answers';
    return {...check, outcome: 'passed', found, remedy: ''};
  }
  if (called?.answer === 'small') {
    return {
      ...check,
      outcome: 'failed',
      found: 'small packets pass, large ones do not',
      remedy: `The network between them carries smaller packets than their interfaces say: compare the MTU of both (\`ip link\`) with that of the VPN, overlay or switch between them, and set the smaller one.`,
    };
  }
  const found = called ? wordsFor(called) : 'it could not be tried';
  if (listening.firewalled && called && called.errno !== notOurs) {
    return {
      ...check,
      severity: 'warning',
      outcome: 'failed',
      found: `${found}; ${to.name}’s own firewall is on`,
      remedy: `The installation opens it on ${to.name}. Whether something between them closes it can only be seen then.`,
    };
  }
  return {
    ...check,
    outcome: 'failed',
    found,
    remedy:
      called?.errno === notOurs
        ? 'Set the private address in Hosts to one that the host has.'
        : called?.errno === refused
          ? `Something between them answers in place of ${to.name}: allow ${whole(opening)}, and see that no other machine has that address.`
          : `Allow ${whole(opening)} in the firewall between them (security group, router, hypervisor), or correct the private addresses if they are of different networks.`,
  };
};

/** How the ids of all checks of the way to a host begin. */
export const reachPrefix = ({name}: Pick<HostSpec, 'name'>): string => `reach-${name}-`;

const reachId = ({to, protocol, port}: Opening): string =>
  `${reachPrefix(to)}${port}${protocol === 'udp' ? '-udp' : ''}`;

const byHost = (
  openings: readonly Opening[],
  which: (opening: Opening) => HostSpec,
): ReadonlyMap<string, readonly Opening[]> => {
  const found = new Map<string, Opening[]>();
  for (const opening of openings) found.set(which(opening).name, [...(found.get(which(opening).name) ?? []), opening]);
  return found;
};

/**
 * Tries every connection that the machines will make to each other, before anything is installed: each listens for a
 * moment where it will serve, and those who will ask call there. A program that is there already is called as it is. Two
 * scripts for each host, all hosts at once; listeners end with the connection, and by themselves after
 * `listenSeconds`. Hosts that do not let one in are left out: that is told elsewhere.
 */
export const reachChecks = async (
  openings: readonly Opening[],
  connect: Connect,
  signal: AbortSignal,
): Promise<readonly CheckResult[]> => {
  if (openings.length === 0) return [];
  const served = byHost(openings, ({to}) => to);
  const asking = byHost(openings, ({from}) => from);
  const listening = new Map<string, Listening>();
  await Promise.all(
    [...served].map(async ([name, own]) => {
      const [first] = own;
      if (!first) return;
      const connection = await connect(first.to);
      if (!connection.ok) return;
      const ports = [...new Map(own.map(each => [portText(each), each])).values()];
      const opened = await listenOn(connection.value, first.to, ports, signal);
      if (opened) listening.set(name, opened);
    }),
  );
  const results = new Map<Opening, CheckResult>();
  await Promise.all(
    [...asking].map(async ([, own]) => {
      const [first] = own;
      const ready = own.filter(({to}) => listening.has(to.name));
      if (!first || ready.length === 0) return;
      const connection = await connect(first.from);
      if (!connection.ok) return;
      const targets = ready.map(({to, protocol, port}) => ({
        address: to.privateAddress,
        protocol,
        port,
        served: listening.get(to.name)?.ports.get(`${protocol}/${port}`) === 'served',
      }));
      const called = await callFrom(connection.value, first.from, targets, signal);
      for (const opening of ready) {
        const answer = called.get(`${opening.to.privateAddress} ${portText(opening)}`);
        results.set(opening, resultOf(opening, answer, listening.get(opening.to.name) as Listening));
      }
    }),
  );
  await Promise.all([...listening.values()].map(({end}) => end()));
  return signal.aborted ? [] : openings.flatMap(opening => results.get(opening) ?? []);
};
