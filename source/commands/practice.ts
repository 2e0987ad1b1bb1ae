import {join} from 'node:path';
import type {FoundHost} from '../app/services.ts';
import {topologyById} from '../blueprints/index.ts';
import {openg2p} from '../blueprints/openg2p.ts';
import {pathsFor} from '../deployment/paths.ts';
import {type Deployment, environment, kubernetes, tls} from '../deployment/schema.ts';
import type {AskPort} from '../engine/ports.ts';
import {fetchHostKeys} from '../hosts/connect.ts';
import {trust} from '../hosts/host-keys.ts';
import {type PracticeHost, startPracticeHosts} from '../practice/practice-hosts.ts';
import {carryOut, controlBySignals} from './carry-out.ts';
import {clock} from './clock.ts';
import type {Command, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {type OutputForm, outputForm, outputOptions} from './inputs.ts';
import {planOperation} from './operations.ts';
import {canAsk, unattended} from './prompt.ts';
import {complain, failureLines, writeJson} from './report.ts';
import {openSite, type Site} from './site.ts';
import {openWizard, screenOptions} from './wizard.ts';

/** One machine for each that the topology asks for at least, of its nominal size. */
const machinesOf = (topologyId: string) =>
  (topologyById(openg2p, topologyId)?.machines ?? []).flatMap(({id, count, nominal, volumeGb}) =>
    Array.from({length: count.min}, (_, index) => ({
      name: `${id}-${index + 1}`,
      ...nominal,
      ...(volumeGb && {volumeGb: volumeGb.nominal}),
      os: 'ubuntu-24.04',
    })),
  );

export const practice: Command = {
  name: 'practice',
  summary: 'the whole thing on practice hosts, on this machine',
  description: [
    'Starts embedded throw-away hosts and opens the wizard with them to choose. The real scripts run',
    'there under a real shell, closed off from this machine and without internet; tools that need a',
    'machine of their own (apt, systemd, ufw, WireGuard, RKE2, kubectl, helm) are stand-ins, and so is',
    'what they download. With --yes, or without a terminal, it installs the whole by itself, with one',
    'environment of all modules, and then plans again, which must find nothing to change.',
  ],
  words: [],
  options: {
    topology: {type: 'string', value: 'NAME', help: 'which topology to practise; default sandbox'},
    yes: {type: 'boolean', short: 'y', help: 'run it through without asking, on fresh hosts'},
    fault: {type: 'string', value: 'STEP', help: 'make this step fail once, to practise the retry prompt'},
    pace: {
      type: 'string',
      value: 'NUMBER',
      help: 'how long stand-ins take: 1 like a quick machine, 0 not; with --yes 0.25',
    },
    fresh: {type: 'boolean', help: 'throw away what earlier practice left on the hosts'},
    keep: {type: 'boolean', help: 'with --yes: go on with what earlier practice left on the hosts'},
    ...outputOptions,
    ...screenOptions,
  },
  examples: ['groundwork practice', 'groundwork practice --yes --output jsonl', 'groundwork practice --fault nginx'],
  run: async (invocation, world) => {
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const topology = invocation.text('topology') ?? 'sandbox';
    const machines = machinesOf(topology);
    if (machines.length === 0) {
      return complain(
        world,
        `there is no topology "${topology}"; there is ${openg2p.topologies.map(({id}) => id).join(', ')}`,
        exit.usage,
      );
    }
    const through = invocation.flag('yes') || form.value !== 'auto' || !canAsk(world);
    // Who watches is to see what a real one is like; who does not wants the result.
    const pace = Number(invocation.text('pace') ?? (through ? 0.25 : 1));
    if (!(pace >= 0 && pace <= 100)) {
      return complain(world, `--pace ${invocation.text('pace')} is no number from 0 to 100`, exit.usage);
    }
    const directory = join(pathsFor(world.environment, world.home).state, 'practice');
    const started = await startPracticeHosts({
      hosts: machines,
      directory: join(directory, 'hosts'),
      fixtures: join(world.root, 'fixtures', 'practice'),
      fault: invocation.text('fault'),
      pace,
      onStart: () => {
        const what = machines.length === 1 ? 'a practice host' : `${machines.length} practice hosts`;
        if (form.value !== 'jsonl') world.stdout.write(`Starting ${what} on this machine…\n`);
      },
      fresh: invocation.flag('fresh') || (through && !invocation.flag('keep')),
    });
    if (!started.ok) {
      world.stderr.write(`${failureLines(started.error).join('\n')}\n`);
      return exitOf(started.error);
    }
    try {
      const {hosts} = started.value;
      const site = openSite(world, {directory, suggested: hosts.map(offer), topology});
      if (!site.ok) return complain(world, site.error.message, exit.failed);
      if (!through) {
        // The screens begin where the line above stood, so that a full screen pushes nothing out at the top.
        if (!invocation.flag('screen-reader')) world.stdout.write('\u001b[1A\u001b[2K');
        return await openWizard(world, site.value, {
          ascii: invocation.flag('ascii'),
          noColor: invocation.flag('no-color'),
          screenReader: invocation.flag('screen-reader'),
        });
      }
      return await runThrough(world, site.value, deploymentOn(topology, hosts), hosts, form.value);
    } finally {
      await started.value.close();
    }
  },
};

const offer = ({name, address, port, user, identityFile}: PracticeHost): FoundHost => ({
  name,
  address,
  port,
  user,
  identityFile,
  source: 'practice',
});

const deploymentOn = (topology: string, hosts: readonly PracticeHost[]): Deployment => {
  const defaults = openg2p.defaults('practice', topology);
  const machines = topologyById(openg2p, topology)?.machines ?? [];
  const [first] = hosts;
  return {
    ...defaults,
    // No CA signs for practice hosts.
    tls: tls.parse({mode: 'local-ca'}),
    hosts: hosts.map(({name, address, port, user, identityFile, privateAddress}) => ({
      name,
      reach: 'ssh',
      address,
      port,
      user,
      identityFile,
      privateAddress,
      roles: [...(machines.find(({id}) => name.startsWith(`${id}-`))?.roles ?? [])],
    })),
    network: {...defaults.network, privateSubnet: '10.0.0.0/24'},
    components: {...defaults.components, kubernetes: kubernetes.parse({})},
    environments: [environment.parse({name: 'dev', modules: ['registry', 'spar', 'pbms', 'g2p-bridge']})],
    channels: defaults.channels.map(channel =>
      channel.kind === 'private' && first ? {...channel, endpoint: first.privateAddress} : channel,
    ),
  };
};

/** The fault of `--fault` happens once, so the first answer is to try again, as an operator would. */
const retryOnce = (): AskPort => {
  const asked = new Set<string>();
  return (question, signal) => {
    const about = `${question.step}@${question.hosts.join()}`;
    if (asked.has(about) || !(question.choices as readonly string[]).includes('retry'))
      return unattended(question, signal);
    asked.add(about);
    return Promise.resolve({choice: 'retry', by: 'policy'});
  };
};

const runThrough = async (
  world: World,
  site: Site,
  deployment: Deployment,
  hosts: readonly PracticeHost[],
  form: OutputForm,
): Promise<number> => {
  const trusted = await trustOwn(site, deployment, hosts);
  if (trusted !== undefined) return complain(world, trusted, exit.unreachable);
  if (form !== 'jsonl') world.stdout.write('These are practice hosts: nothing outside of them is changed.\n');
  const status = await carryOut(world, site, deployment, {
    command: 'groundwork practice',
    form,
    yes: true,
    ask: retryOnce(),
  });
  if (status !== exit.done) return status;
  const {control, end} = controlBySignals(world);
  const again = await planOperation(site, deployment, control.signal);
  end();
  if (!again.ok) return complain(world, again.error.message, exitOf(again.error));
  const {changes, unchanged, steps} = again.value;
  if (form === 'jsonl') writeJson(world, {at: clock.now().toISOString(), type: 'plan', changes, unchanged, steps});
  else
    world.stdout.write(
      changes === 0
        ? `Looked again: nothing to change, ${unchanged} as they should be.\n`
        : `Looked again: ${changes} would be changed once more, which is a fault of Groundwork.\n`,
    );
  return changes === 0 ? exit.done : exit.failed;
};

/** Practice hosts are ours, so we know their keys without asking; each is still compared with what the host shows. */
const trustOwn = async (
  site: Site,
  deployment: Deployment,
  hosts: readonly PracticeHost[],
): Promise<string | undefined> => {
  const shown = await fetchHostKeys(deployment.hosts, site.connectOptions());
  for (const result of shown) {
    if (!result.ok) return result.error.message;
    const own = hosts.find(({name}) => name === result.value.host);
    if (own?.hostKey.key !== result.value.key)
      return `practice host ${result.value.host} shows a key that is not its own`;
  }
  const kept = await trust(
    shown.flatMap(result => (result.ok ? [result.value] : [])),
    site.paths.knownHosts,
  );
  return kept.ok ? undefined : kept.error.message;
};
