// How long it takes to look again at a finished installation: Groundwork against OpenSSH with ControlMaster, which sends
// one equivalent script to each host, and against Ansible with a playbook of the same ground. See docs/benchmark.md.
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {type PlanResult, planDeployment} from '../../source/engine/plan.ts';
import type {LookPorts} from '../../source/engine/ports.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {ok} from '../../source/result.ts';
import {type LabHost, labDirectory, labDown, labExec, labUp} from '../support/lab.ts';
import {describeGround, type Ground, layGround, open} from './ground.ts';
import {type Command, median, peakMemory, type Sample, timed} from './measure.ts';
import {programForMany} from './program.ts';
import {endMasters, nothingChanged, openSshProgram, prepareAnsible} from './rivals.ts';

const {values: options, positionals} = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    /** Runs of each, except Ansible. */
    runs: {type: 'string', default: '7'},
    /** 0 leaves Ansible out. */
    'ansible-runs': {type: 'string', default: '3'},
    /** Leaves the hosts as they are, for the next time. */
    keep: {type: 'boolean', default: false},
  },
});
const counts = positionals.length > 0 ? positionals.map(Number) : [4, 16];
const folder = join(labDirectory, 'bench');
const mostRoundTrips = 2;

const say = (text: string) => process.stderr.write(`${text}\n`);

const planned = async (ports: LookPorts): Promise<PlanResult> => {
  const plan = await planDeployment(ports);
  if (!plan.ok) throw new Error(plan.error.message);
  const [failed] = plan.value.hosts.flatMap(each => ('failure' in each ? [each.failure.message] : []));
  if (failed) throw new Error(failed);
  if (plan.value.changes > 0) throw new Error(`${plan.value.changes} changes are open: the ground is not laid`);
  return plan.value;
};

/** Connections that stay open and write down what is sent over them. */
const recorded = async (ground: Ground) => {
  const sent = new Map<string, string[]>(ground.hosts.map(({name}) => [name, []]));
  const opened: Connection[] = [];
  const connections = new Map<string, Connection>();
  for (const host of ground.deployment.hosts) {
    const connection = await open(ground, host);
    opened.push(connection);
    connections.set(host.name, {
      ...connection,
      run: (script, runOptions) => {
        sent.get(host.name)?.push(script.text);
        return connection.run(script, runOptions);
      },
      close: async () => {},
    });
  }
  const ports: LookPorts = {...ground.ports, connect: async ({name}) => ok(connections.get(name) as Connection)};
  const close = async () => {
    for (const {close: closeOne} of opened) await closeOne();
  };
  return {sent, ports, close};
};

/** How often the program became root on a host, as the host's own journal has it: once for each round trip. */
const timesRoot = async ({name}: LabHost): Promise<number> =>
  Number((await labExec(name, 'journalctl -q --no-pager _COMM=sudo | grep -c COMMAND=')).stdout);

const within = (count: number, host: string, what: string): number => {
  if (count < 1 || count > mostRoundTrips) throw new Error(`${what} took ${count} round trips to ${host}`);
  return count;
};

const clocked = async (work: () => Promise<unknown>): Promise<Sample> => {
  const began = performance.now();
  await work();
  return {wall: (performance.now() - began) / 1000, output: ''};
};

type Row = {readonly title: string; readonly samples: readonly Sample[]};

const seconds = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(2));

const table = (rows: readonly Row[]): string[] =>
  [
    ['', 'runs', 'median', 'least', 'most', 'CPU here'],
    ...rows
      .filter(({samples}) => samples.length > 0)
      .map(({title, samples}) => {
        const walls = samples.map(({wall}) => wall);
        const cpu = median(samples.map(sample => sample.cpu ?? Number.NaN));
        return [
          title,
          `${samples.length}`,
          ...[median(walls), Math.min(...walls), Math.max(...walls), cpu].map(value => seconds(value)),
        ];
      }),
  ].map(([title = '', ...cells]) => title.padEnd(52) + cells.map(cell => cell.padStart(9)).join(''));

const against = (what: string, ratio: number, target: number): string =>
  `${what.padEnd(52)}${ratio.toFixed(3).padStart(9)}   target ${target} ${ratio <= target ? 'met' : 'MISSED'}`;

const measure = async (count: number, groundwork: string): Promise<void> => {
  say(`${count} hosts: starting them and laying the ground …`);
  const hosts = await labUp(count);
  const ground = await describeGround(hosts, folder);
  await layGround(ground);

  const plan: Command = {
    file: groundwork,
    args: ['plan', '--deployment', ground.file],
    env: {GROUNDWORK_HOME: ground.home},
  };
  const {sent, ports, close} = await recorded(ground);
  const first = await planned(ports);
  for (const scripts of sent.values()) scripts.length = 0;
  await planned(ports);
  const trips = Math.max(...[...sent].map(([host, scripts]) => within(scripts.length, host, 'the look')));
  // What it sent in its last round trip is all that there is to ask.
  const scripts = new Map([...sent].map(([host, texts]) => [host, texts.join('\n')]));
  const program: Command = {file: 'bash', args: [openSshProgram(hosts, join(folder, 'openssh'), scripts)]};

  say('Groundwork and OpenSSH, in turn …');
  const before = await Promise.all(hosts.map(timesRoot));
  await timed(plan, folder);
  const after = await Promise.all(hosts.map(timesRoot));
  const counted = Math.max(
    ...hosts.map(({name}, index) => within((after[index] ?? 0) - (before[index] ?? 0), name, 'groundwork plan')),
  );
  const whole: Sample[] = [];
  const inside: Sample[] = [];
  const fresh: Sample[] = [];
  const warm: Sample[] = [];
  // In turn, so that what else this machine does weighs on all of them alike.
  for (let run = 0; run < Number(options.runs); run += 1) {
    whole.push(await timed(plan, folder));
    inside.push(await clocked(() => planned(ports)));
    await endMasters(hosts);
    fresh.push(await timed(program, folder));
    warm.push(await timed(program, folder));
  }
  await endMasters(hosts);
  for (const {output} of whole)
    if (!output.includes('Nothing to change.')) throw new Error(`groundwork plan found changes:\n${output}`);
  const memory = await peakMemory(plan);
  await close();

  if (Number(options['ansible-runs']) > 0) say('Ansible …');
  const paths = first.steps.flatMap(({resources}) =>
    resources.flatMap(({id}) => /^(?:file|block .* in) (\/.*)$/.exec(id)?.[1] ?? []),
  );
  const {args, env} = await prepareAnsible(hosts, folder, [
    ...new Set([...paths, '/etc/sysctl.d/60-groundwork-wireguard.conf']),
  ]);
  const playbook: Command = {file: 'ansible-playbook', args, env};
  const ansible: Sample[] = [];
  for (let run = 0; run < Number(options['ansible-runs']); run += 1) {
    const sample = await timed(playbook, folder);
    if (!nothingChanged(sample.output, count)) throw new Error(`the playbook changes something:\n${sample.output}`);
    ansible.push(sample);
  }

  const of = (samples: readonly Sample[]) => median(samples.map(({wall}) => wall));
  const resources = (first.unchanged / count).toFixed(0);
  process.stdout.write(
    [
      '',
      `${count} hosts, ${resources} resources on each; seconds`,
      ...table([
        {title: 'groundwork plan, whole process', samples: whole},
        {title: 'groundwork, look over open connections', samples: inside},
        {title: 'OpenSSH, new masters', samples: fresh},
        {title: 'OpenSSH, masters already open', samples: warm},
        {title: 'ansible-playbook, whole process', samples: ansible},
      ]),
      '',
      against('groundwork plan / OpenSSH, new masters', of(whole) / of(fresh), 1.5),
      against('groundwork look / OpenSSH, masters already open', of(inside) / of(warm), 1.5),
      ...(ansible.length > 0 ? [against('groundwork plan / ansible-playbook', of(whole) / of(ansible), 0.05)] : []),
      `round trips per host: ${trips} over open connections, ${counted} of the whole process (at most ${mostRoundTrips})`,
      `memory of groundwork plan at its most: ${memory.toFixed(0)} MiB`,
      '',
    ].join('\n'),
  );
};

mkdirSync(folder, {recursive: true});
const groundwork = programForMany(join(folder, 'program'));
try {
  for (const count of counts) await measure(count, groundwork);
} finally {
  if (!options.keep) await labDown();
}
