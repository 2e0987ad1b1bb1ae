import {fetchHostKeys} from '../hosts/connect.ts';
import type {HostKeyFinding} from '../hosts/host-key.ts';
import {trust as remember} from '../hosts/host-keys.ts';
import {controlBySignals} from './carry-out.ts';
import type {Command} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {deploymentOptions, load} from './inputs.ts';
import {askLine, canAsk} from './prompt.ts';
import {complain, failureLines} from './report.ts';

const words: Record<HostKeyFinding['status'], string> = {
  known: 'known',
  unknown: 'not known yet',
  changed: 'CHANGED: refused',
  revoked: 'REVOKED: refused',
};

export const trust: Command = {
  name: 'trust',
  summary: 'show the hosts’ keys and remember those that you accept',
  description: [
    'Fetches the key of every host without logging in, and shows its fingerprint. Compare it with',
    'the one on the host’s own console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then',
    'accept it. A key that has changed is never accepted here.',
  ],
  words: [],
  options: {
    deployment: deploymentOptions.deployment,
    fingerprint: {
      type: 'string',
      multiple: true,
      value: 'SHA256:…',
      help: 'accept the key with this fingerprint; may be given several times',
    },
  },
  examples: [
    'groundwork trust --deployment sandbox.yaml',
    'groundwork trust --deployment sandbox.yaml --fingerprint SHA256:AbC…',
  ],
  run: async (invocation, world) => {
    const loaded = await load({...invocation, flag: () => false, texts: () => []}, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const {site, deployment} = loaded.value;
    const {control, end} = controlBySignals(world);
    const results = await fetchHostKeys(deployment.hosts, site.connectOptions(control.signal));
    end();
    const findings = results.flatMap(result => (result.ok ? [result.value] : []));
    for (const {host, knownAs, type, fingerprint, status, expected, note} of findings) {
      world.stdout.write(`${host} (${knownAs}) ${type} ${fingerprint} ${words[status]}\n`);
      if (expected) world.stdout.write(`  expected ${expected}\n`);
      if (note) world.stdout.write(`  ${note}\n`);
    }
    for (const result of results) if (!result.ok) world.stderr.write(`${failureLines(result.error).join('\n')}\n`);
    const given = invocation.texts('fingerprint');
    const unknown = findings.filter(({status}) => status === 'unknown');
    let accepted = unknown.filter(({fingerprint}) => given.includes(fingerprint));
    if (accepted.length < unknown.length && given.length === 0 && canAsk(world)) {
      const answer = await askLine(
        world,
        `Type yes when ${unknown.length === 1 ? 'this key is' : `all ${unknown.length} unknown keys are`} right: `,
      );
      if (answer?.trim() === 'yes') accepted = unknown;
    }
    const kept = await remember(accepted, site.paths.knownHosts);
    if (!kept.ok) return complain(world, kept.error.message, exitOf(kept.error));
    const stray = given.filter(fingerprint => !findings.some(finding => finding.fingerprint === fingerprint));
    for (const fingerprint of stray) world.stderr.write(`no host showed a key with fingerprint ${fingerprint}\n`);
    world.stdout.write(`${accepted.length} accepted, ${unknown.length - accepted.length} still unknown.\n`);
    const good = results.every(
      result => result.ok && (result.value.status === 'known' || accepted.includes(result.value)),
    );
    return good ? exit.done : exit.unreachable;
  },
};
