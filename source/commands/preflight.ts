import type {HostReport} from '../app/services.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {blockingChecks} from '../hosts/preflight.ts';
import {controlBySignals} from './carry-out.ts';
import {certificateRefusal, certificateVault} from './certificate-operations.ts';
import {clock} from './clock.ts';
import type {Command, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {acceptOptions, artifactOptions, deploymentOptions, load, outputForm, outputOptions} from './inputs.ts';
import {inspectOperation} from './inspect.ts';
import {complain, failureLines, writeJson} from './report.ts';
import type {Site} from './site.ts';

const tell = (world: World, report: HostReport, accepted: readonly string[]): void => {
  if (report.state === 'failed') {
    world.stdout.write(`${failureLines(report.failure).join('\n')}\n`);
    return;
  }
  const {os, cpus, memoryBytes} = report.facts;
  world.stdout.write(`${report.host}: ${os.title}, ${cpus} vCPU, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB\n`);
  for (const check of report.checks.toSorted((a, b) => a.outcome.localeCompare(b.outcome))) {
    const blocking = blockingChecks([check], accepted).length > 0;
    const word =
      check.outcome === 'passed'
        ? 'passed  '
        : blocking
          ? 'FAILED  '
          : check.severity === 'warning'
            ? 'warning '
            : 'accepted';
    world.stdout.write(
      `  ${word} ${check.id}: ${check.found}${check.outcome === 'failed' ? `; needed ${check.needed}` : ''}\n`,
    );
    if (check.outcome === 'failed') world.stdout.write(`           ${check.remedy}\n`);
  }
};

/** What stands in the way before a host is asked: certificates that are missing, expired or for other names. */
const refusalBefore = async (site: Site, deployment: Deployment): Promise<Failure | undefined> => {
  if (deployment.tls.mode !== 'supplied') return undefined;
  const vault = await certificateVault(site, deployment.name);
  return vault.ok ? certificateRefusal(vault.value, deployment) : vault.error;
};

export const preflight: Command = {
  name: 'preflight',
  summary: 'log in to every host and say whether it is fit; changes nothing',
  description: [
    'Checks hardware, system, network, ports, time and what is left of older installations; machines',
    'of one deployment call each other at the ports that they will use.',
    'A check that failed can be accepted by name, if it is one that can be lived with.',
  ],
  words: [],
  options: {...deploymentOptions, ...acceptOptions, ...artifactOptions, ...outputOptions},
  examples: [
    'groundwork preflight --deployment sandbox.yaml',
    'groundwork preflight --deployment sandbox.yaml --accept memory',
  ],
  run: async (invocation, world) => {
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const loaded = await load(invocation, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const {site, deployment} = loaded.value;
    const refused = await refusalBefore(site, deployment);
    if (refused) {
      if (form.value === 'jsonl') writeJson(world, {at: clock.now().toISOString(), type: 'problem', failure: refused});
      else world.stderr.write(`${failureLines(refused).join('\n')}\n`);
      return exitOf(refused);
    }
    const {control, end} = controlBySignals(world);
    const reports = await inspectOperation(site, deployment, () => {}, control.signal, {
      artifacts: true,
      between: true,
    });
    end();
    for (const report of reports) {
      if (form.value === 'jsonl') writeJson(world, {at: clock.now().toISOString(), type: 'preflight', ...report});
      else tell(world, report, deployment.acceptedChecks);
    }
    const unreachable = reports.find(report => report.state === 'failed');
    if (unreachable) return exitOf(unreachable.failure);
    const blocking = blockingChecks(
      reports.flatMap(report => (report.state === 'ready' ? report.checks : [])),
      deployment.acceptedChecks,
    );
    return blocking.length > 0 ? exit.preflight : exit.done;
  },
};
