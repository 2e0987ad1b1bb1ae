import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {connect} from '../../source/hosts/connect.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {type Opening, reachChecks} from '../../source/hosts/reach.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {ok} from '../../source/result.ts';
import {converge} from '../support/apply.ts';
import {type LabHost, lab, labDown, labExec, labKey, labKnownHosts, labUp} from '../support/lab.ts';

let hosts: LabHost[];
let [one, two]: LabHost[] = [];
const connections = new Map<string, Connection>();
let runs = 0;

const spec = ({name, address, port}: LabHost) => ({
  name,
  reach: 'ssh' as const,
  address,
  port,
  user: 'ubuntu',
  identityFile: labKey,
  roles: ['base'],
  privateAddress: address,
});

const loggedIn = async (host: LabHost): Promise<Connection> => {
  const connection = await connect(spec(host), {knownHostsFile: labKnownHosts, openSsh: false});
  if (!connection.ok) throw new Error(connection.error.message);
  await converge(connection.value, [aptPackages(['iptables'])]);
  return counting(connection.value);
};

const opening = (from: LabHost, to: LabHost, port: number, protocol: 'tcp' | 'udp' = 'tcp'): Opening => ({
  from: spec(from),
  to: spec(to),
  protocol,
  port,
  purpose: 'a test',
});

/** Scripts are counted: two for each host, however many ports. */
const counting = (connection: Connection): Connection => ({
  ...connection,
  run: (script, options) => {
    runs += 1;
    return connection.run(script, options);
  },
});

const tried = async (...openings: readonly Opening[]) => {
  const checks = await reachChecks(
    openings,
    async ({name}) => ok(connections.get(name)!),
    new AbortController().signal,
  );
  return checks.map(({id, host, outcome, found, severity}) => ({id, host, outcome, found, severity}));
};

beforeAll(async () => {
  hosts = await labUp(2, {prefix: 'reach'});
  [one, two] = hosts;
  for (const host of hosts) connections.set(host.name, await loggedIn(host));
});
afterAll(async () => {
  await Promise.all([...connections.values()].map(connection => connection.close()));
  await labDown(hosts);
});
beforeEach(() => {
  runs = 0;
});

const listenersOf = async (host: LabHost) => (await labExec(host, 'ss -Hltun')).stdout;

describe('connections between two real hosts', () => {
  test('are tried where nothing listens yet, both ways at once, in two scripts for each, and nothing is left', async () => {
    const before = await listenersOf(two!);
    expect(
      await tried(
        opening(one!, two!, 5432),
        opening(one!, two!, 2049),
        opening(one!, two!, 53, 'udp'),
        opening(two!, one!, 443),
      ),
    ).toEqual([
      {id: 'reach-reach2-5432', host: 'reach1', outcome: 'passed', found: 'answers', severity: 'error'},
      {id: 'reach-reach2-2049', host: 'reach1', outcome: 'passed', found: 'answers', severity: 'error'},
      {id: 'reach-reach2-53-udp', host: 'reach1', outcome: 'passed', found: 'answers', severity: 'error'},
      {id: 'reach-reach1-443', host: 'reach2', outcome: 'passed', found: 'answers', severity: 'error'},
    ]);
    expect(runs).toBe(4);
    expect(await listenersOf(two!)).toBe(before);
    expect((await labExec(two!, 'pgrep -c perl')).stdout.trim()).toBe('0');
  });

  test('use what listens already', async () => {
    expect(await tried(opening(one!, two!, 22))).toMatchObject([
      {outcome: 'passed', found: 'answers; a program listens there already'},
    ]);
  });

  test('that something drops on the way are found, and those that it refuses, beside one that is open', async () => {
    // On the side that calls, as a firewall of the network between them would: it says nothing of the other host's own.
    const drop = (what: string) =>
      labExec(
        one!,
        `iptables -w ${what} OUTPUT -d ${two!.address} -p tcp --dport 5432 -j DROP &&
        iptables -w ${what} OUTPUT -d ${two!.address} -p tcp --dport 2049 -j REJECT --reject-with tcp-reset`,
      );
    expect((await drop('-A')).code).toBe(0);
    try {
      expect(
        await tried(opening(one!, two!, 5432), opening(one!, two!, 2049), opening(one!, two!, 6443)),
      ).toMatchObject([
        {outcome: 'failed', found: 'no answer', severity: 'error'},
        {outcome: 'failed', found: 'refused', severity: 'error'},
        {outcome: 'passed'},
      ]);
    } finally {
      await drop('-D');
    }
  });

  test('that carry small packets only are told apart', async () => {
    const narrow = (what: string) =>
      labExec(
        one!,
        `iptables -w ${what} OUTPUT -d ${two!.address} -p tcp --dport 5432 -m length --length 1000: -j DROP`,
      );
    expect((await narrow('-A')).code).toBe(0);
    try {
      expect(await tried(opening(one!, two!, 5432))).toMatchObject([
        {outcome: 'failed', found: 'small packets pass, large ones do not'},
      ]);
    } finally {
      await narrow('-D');
    }
  });

  test('that the other’s own firewall stops are a warning: the installation opens it', async () => {
    await labExec(
      two!,
      'iptables -w -A INPUT -p tcp --dport 22 -j ACCEPT; iptables -w -A INPUT -m state --state ESTABLISHED -j ACCEPT; iptables -w -P INPUT DROP',
    );
    try {
      expect(await tried(opening(one!, two!, 5432))).toMatchObject([
        {outcome: 'failed', found: 'no answer; reach2’s own firewall is on', severity: 'warning'},
      ]);
    } finally {
      await labExec(two!, 'iptables -w -P INPUT ACCEPT; iptables -w -F INPUT');
    }
  });

  test('across a cable that is cut get no answer', async () => {
    await lab(['cut', one!.name, two!.name]);
    try {
      const [check] = await tried(opening(one!, two!, 5432));
      expect(check).toMatchObject({outcome: 'failed', severity: 'error'});
      expect(check?.found).toMatch(/no answer|no route/i);
    } finally {
      await lab(['heal']);
    }
  });

  test('leave no listener when they are called off', async () => {
    const over = new AbortController();
    const trying = reachChecks(
      [opening(one!, two!, 5432)],
      async ({name}) => {
        // When the callers' turn comes, the listeners are there.
        if (name === one!.name) over.abort();
        return ok(connections.get(name)!);
      },
      over.signal,
    );
    expect(await trying).toEqual([]);
    expect((await labExec(two!, 'pgrep -c perl')).stdout.trim()).toBe('0');
  });
});
