import type {HostReport} from '../app/services.ts';
import {artifactChecks} from '../artifacts/availability.ts';
import {type Client, newClient} from '../artifacts/client.ts';
import {proxyOf} from '../artifacts/source.ts';
import {type Machine, machineOf} from '../blueprints/blueprint.ts';
import {blueprintById, topologyById} from '../blueprints/index.ts';
import type {Deployment, HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import type {CheckResult} from '../hosts/check.ts';
import {connect} from '../hosts/connect.ts';
import type {Facts} from '../hosts/facts.ts';
import {inspectionScript, parseFacts} from '../hosts/gather-facts.ts';
import {preflight, preflightAcross} from '../hosts/preflight.ts';
import {err, ok, type Result} from '../result.ts';
import {clock} from './clock.ts';
import type {Site} from './site.ts';

/** The kind of machine that a host is. One whose roles fit none is measured by the first, until its roles are put right. */
const machineFor = (deployment: Deployment, host: HostSpec): Machine | undefined => {
  const blueprint = blueprintById(deployment.blueprint);
  const topology = blueprint && topologyById(blueprint, deployment.topology);
  return topology && (machineOf(topology, host) ?? topology.machines[0]);
};

export const checksOf = (
  deployment: Deployment,
  hosts: readonly {readonly host: HostSpec; readonly facts: Facts}[],
): readonly CheckResult[] => [
  ...hosts.flatMap(({host, facts}) => {
    const machine = machineFor(deployment, host);
    return machine ? preflight({host, facts, machine, deployment, now: clock.now()}) : [];
  }),
  ...preflightAcross(hosts.map(({host, facts}) => ({host: host.name, facts}))),
];

/** Checks that compare this side's clock with the host's: true only at the moment when the facts came in. */
const momentary: readonly string[] = ['clock'];

/** Downloads on this side, by the deployment's proxy or that of this side's environment. */
export const clientFor = ({world}: Pick<Site, 'world'>, deployment: Deployment): Client =>
  newClient(proxyOf(deployment), world.environment);

/** A report with its checks made anew from its facts, after an answer has changed. */
export const recheck = (deployment: Deployment, report: HostReport): HostReport => {
  const host = deployment.hosts.find(({name}) => name === report.host);
  if (report.state === 'failed' || !host) return report;
  const before = report.checks.filter(({id}) => momentary.includes(id));
  const again = checksOf(deployment, [{host, facts: report.facts}]).filter(({id}) => !momentary.includes(id));
  return {...report, checks: [...again, ...before]};
};

/**
 * Logs in to every host, finds out about it and checks it; reports come as they are ready. With `artifacts` it also asks
 * from there for all that is downloaded, which takes as long as the servers do.
 */
export const inspectOperation = async (
  site: Site,
  deployment: Deployment,
  onReport: (report: HostReport) => void,
  signal: AbortSignal,
  {artifacts = false}: {readonly artifacts?: boolean} = {},
): Promise<readonly HostReport[]> => {
  const facts: {host: HostSpec; facts: Facts}[] = [];
  const reports = await Promise.all(
    deployment.hosts.map(async (host): Promise<HostReport> => {
      const found = await inspectHost(site, deployment, host, signal, artifacts);
      if (found.ok) facts.push({host, facts: found.value.facts});
      const report: HostReport = found.ok
        ? {
            host: host.name,
            state: 'ready',
            facts: found.value.facts,
            checks: [...checksOf(deployment, [{host, facts: found.value.facts}]), ...found.value.checks],
          }
        : {host: host.name, state: 'failed', failure: {host: host.name, ...found.error}};
      onReport(report);
      return report;
    }),
  );
  const across = preflightAcross(facts.map(each => ({host: each.host.name, facts: each.facts})));
  return reports.map(report => {
    const more = across.filter(({host}) => host === report.host);
    if (report.state === 'failed' || more.length === 0) return report;
    const whole = {...report, checks: [...report.checks, ...more]};
    onReport(whole);
    return whole;
  });
};

const inspectHost = async (
  site: Site,
  deployment: Deployment,
  host: HostSpec,
  signal: AbortSignal,
  artifacts: boolean,
): Promise<Result<{readonly facts: Facts; readonly checks: readonly CheckResult[]}, Failure>> => {
  const connection = await connect(host, site.connectOptions(signal));
  if (!connection.ok) return connection;
  try {
    const output = await connection.value.run(inspectionScript, {signal});
    if (!output.ok) return output;
    const parsed = parseFacts(output.value.stdout);
    if (!parsed.ok) return err({kind: 'command', host: host.name, attempted: 'gathering facts', message: parsed.error});
    const facts = parsed.value;
    const checks = artifacts
      ? await artifactChecks(deployment, [{host, facts}], async () => connection, {
          client: clientFor(site, deployment),
          signal,
        })
      : [];
    return ok({facts, checks});
  } finally {
    await connection.value.close();
  }
};
