import {connectionsOf} from '../../steps/firewall/connections.ts';
import {sshPortOf} from '../../steps/firewall/firewall.ts';
import {dnsChecks} from '../../steps/site-dns/checks.ts';
import type {HostReport} from '../app/services.ts';
import {artifactChecks} from '../artifacts/availability.ts';
import {type Client, newClient} from '../artifacts/client.ts';
import {proxyOf} from '../artifacts/source.ts';
import {type Machine, machineOf} from '../blueprints/blueprint.ts';
import {blueprintById, topologyById} from '../blueprints/index.ts';
import type {Deployment, HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {openSessions} from '../engine/sessions.ts';
import type {CheckResult} from '../hosts/check.ts';
import {connect} from '../hosts/connect.ts';
import type {Facts} from '../hosts/facts.ts';
import {inspectionScript, parseFacts} from '../hosts/gather-facts.ts';
import {preflight, preflightAcross} from '../hosts/preflight.ts';
import {type Connect, reachChecks, reachPrefix} from '../hosts/reach.ts';
import {resolveHere} from '../network/resolve.ts';
import {err, ok, type Result} from '../result.ts';
import {clock} from './clock.ts';
import type {Site} from './site.ts';

/** The kind of machine that a host is. One whose roles fit none is measured by the first, until its roles are put right. */
const machineFor = (deployment: Deployment, host: HostSpec): Machine | undefined => {
  const blueprint = blueprintById(deployment.blueprint);
  const topology = blueprint && topologyById(blueprint, deployment.topology);
  return topology && (machineOf(topology, host) ?? topology.machines[0]);
};

/** @param hosts with this side's clock when their facts came in; without it, just now */
export const checksOf = (
  deployment: Deployment,
  hosts: readonly {readonly host: HostSpec; readonly facts: Facts; readonly at?: Date}[],
): readonly CheckResult[] => [
  ...hosts.flatMap(({host, facts, at}) => {
    const machine = machineFor(deployment, host);
    return machine ? preflight({host, facts, machine, deployment, now: at ?? clock.now()}) : [];
  }),
  ...preflightAcross(hosts.map(({host, facts}) => ({host: host.name, facts}))),
];

/**
 * The connections that the machines will make to each other, tried. Between machines that this deployment stands on
 * already they are in use, and practice hosts have no network.
 */
export const checksBetween = async (
  deployment: Deployment,
  known: readonly {readonly host: HostSpec; readonly facts: Facts}[],
  connectTo: Connect,
  signal: AbortSignal,
): Promise<readonly CheckResult[]> => {
  const factsOf = (host: HostSpec): Facts | undefined => known.find(each => each.host.name === host.name)?.facts;
  const isNew = (facts: Facts): boolean => facts.deployment !== deployment.name;
  const openings = connectionsOf(deployment, host => sshPortOf(factsOf(host) ?? {sshPort: host.port, listeners: []}));
  const toTry = openings.filter(({from, to}) => {
    const [one, other] = [factsOf(from), factsOf(to)];
    return one && other && !one.practice && !other.practice && (isNew(one) || isNew(other));
  });
  return reachChecks(toTry, connectTo, signal);
};

/** Checks that compare this side's clock with the host's: true only at the moment when the facts came in. */
const momentary: readonly string[] = ['clock'];

/** Downloads on this side, by the deployment's proxy or that of this side's environment. */
export const clientFor = ({world}: Pick<Site, 'world'>, deployment: Deployment): Client =>
  newClient(proxyOf(deployment), world.environment);

/** A report with its checks made anew from its facts, after an answer has changed. */
export const recheck = (deployment: Deployment, report: HostReport): HostReport => {
  const host = deployment.hosts.find(({name}) => name === report.host);
  if (report.state === 'failed' || !host) return report;
  const asked = connectionsOf(deployment, ({port}) => port).filter(({from}) => from.name === host.name);
  const before = report.checks.filter(
    ({id}) => momentary.includes(id) || asked.some(({to}) => id.startsWith(reachPrefix(to))),
  );
  const again = checksOf(deployment, [{host, facts: report.facts}]).filter(({id}) => !momentary.includes(id));
  return {...report, checks: [...again, ...before]};
};

/**
 * Logs in to every host, finds out about it and checks it; reports come as they are ready. With `artifacts` it also asks
 * from there for all that is downloaded, and for the records of the site's DNS, which takes as long as the servers do; with
 * `between` the machines call each other where they will.
 */
export const inspectOperation = async (
  site: Site,
  deployment: Deployment,
  onReport: (report: HostReport) => void,
  signal: AbortSignal,
  {artifacts = false, between = false}: {readonly artifacts?: boolean; readonly between?: boolean} = {},
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
  const across = [
    ...preflightAcross(facts.map(each => ({host: each.host.name, facts: each.facts}))),
    ...(between ? await connectionsTried(site, deployment, facts, signal) : []),
  ];
  return reports.map(report => {
    const more = across.filter(({host}) => host === report.host);
    if (report.state === 'failed' || more.length === 0) return report;
    const whole = {...report, checks: [...report.checks, ...more]};
    onReport(whole);
    return whole;
  });
};

/** The same on connections of its own, which are closed afterwards. */
const connectionsTried = async (
  site: Site,
  deployment: Deployment,
  known: Parameters<typeof checksBetween>[1],
  signal: AbortSignal,
): Promise<readonly CheckResult[]> => {
  const sessions = openSessions(host => connect(host, site.connectOptions(signal)));
  try {
    return await checksBetween(deployment, known, sessions.to, signal);
  } finally {
    await sessions.close();
  }
};

/** Lets the machines call each other, and tells those reports again to which something was added. */
export const tryConnections = async (
  site: Site,
  deployment: Deployment,
  reports: readonly HostReport[],
  onReport: (report: HostReport) => void,
  signal: AbortSignal,
): Promise<void> => {
  const known = deployment.hosts.flatMap(host => {
    const report = reports.find(each => each.host === host.name);
    return report?.state === 'ready' ? [{host, report, facts: report.facts}] : [];
  });
  const found = await connectionsTried(site, deployment, known, signal);
  for (const {host, report} of known) {
    const own = found.filter(check => check.host === host.name);
    const others = report.checks.filter(({id}) => !own.some(check => check.id === id));
    if (own.length > 0 && !signal.aborted) onReport({...report, checks: [...others, ...own]});
  }
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
    const known = [{host, facts}];
    const checks = artifacts
      ? [
          ...(await artifactChecks(deployment, known, async () => connection, {
            client: clientFor(site, deployment),
            signal,
          })),
          ...(await dnsChecks(
            deployment,
            known,
            async () => connection,
            name => resolveHere(name),
            signal,
          )),
        ]
      : [];
    return ok({facts, checks});
  } finally {
    await connection.value.close();
  }
};
