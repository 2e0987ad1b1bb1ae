import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {type Awaited, type Remedy, type Step, type StepContext, step} from '../../source/engine/step.ts';
import {err} from '../../source/result.ts';
import {stepId} from '../environment/names.ts';
import {hostBaseline} from '../host-baseline/host-baseline.ts';
import {hasKubernetes, hasOwnDns, roles} from '../shared/deployment.ts';
import {acceptedAddresses, adminRecords, type DnsRecord, environmentRecords} from './records.ts';
import {judge, readResolution, resolutionScript} from './resolution.ts';

/** A record as one says it to whoever keeps the zone: `rancher.openg2p.example.org A 10.0.0.11`. */
const asked = ({name, type, value}: DnsRecord): string => `${name} ${type} ${value ?? '(the proxy’s private address)'}`;

/** Records that somebody else makes, as what a step waits for. All are asked for in one script. */
const awaitedRecords = (
  {deployment, host, facts}: Pick<StepContext, 'deployment' | 'host' | 'facts'>,
  records: readonly DnsRecord[],
): readonly Awaited[] => {
  const script = resolutionScript(records.map(({name}) => name));
  const resolvers = facts.nameservers.length > 0 ? ` (${facts.nameservers.join(', ')})` : '';
  return records.map((record, index) => ({
    id: record.name,
    title: `${record.name} leads to ${record.value ?? 'the proxy'}`,
    script,
    check: ({stdout}) => {
      const answer = readResolution(stdout)[index];
      return answer ? judge(answer, acceptedAddresses(deployment, record)) : err('the host could not ask');
    },
    how: `${host.name} asks its own resolver${resolvers}`,
    remedy: `Whoever keeps the zone enters: ${asked(record)}`,
  }));
};

/** The site's records are needed by programs in the cluster, and there is a site to make them. */
const needsSite = (deployment: Deployment): boolean => hasKubernetes(deployment) && !hasOwnDns(deployment);

/** As which a preflight check is named and accepted: `compute-1:dns-records`. */
export const dnsCheckId = 'dns-records';

/** The operator knows better than what hosts can see of the records, and has said so. */
export const acceptsMissingRecords = ({acceptedChecks}: Pick<Deployment, 'acceptedChecks'>): boolean =>
  acceptedChecks.some(accepted => accepted.endsWith(`:${dnsCheckId}`));

const dnsRemedies: readonly Remedy[] = [
  {
    id: 'dns-record-wrong',
    match: /leads to [\s\S]*: it leads to/,
    cause: 'The record has another address than the proxy’s, or the resolver still remembers the one from before.',
    remedy: 'Have the record corrected (`groundwork checklist` lists them all), wait for its TTL to pass, then retry.',
  },
  {
    id: 'dns-record-missing',
    match: /\(NXDOMAIN\)|without an A record/,
    cause:
      'The record is not in the zone that the host’s resolver asks. Some resolvers also hide private addresses that come from public zones (rebinding protection).',
    remedy:
      'Have the record made where machines of the private subnet ask (`groundwork checklist` lists them all), then retry.',
  },
];

const waitingFor = (
  records: (deployment: Deployment) => readonly DnsRecord[],
): Pick<Step, 'awaits' | 'resources' | 'verify' | 'role' | 'once' | 'estimate' | 'remedies' | 'removal'> => {
  const awaits = (context: StepContext) =>
    acceptsMissingRecords(context.deployment) ? [] : awaitedRecords(context, records(context.deployment));
  return {
    // Where the cluster's own DNS asks on.
    role: roles.compute,
    once: true,
    estimate: 2,
    awaits,
    resources: () => [],
    // What it waits for is in somebody else's zone.
    removal: {goesWith: hostBaseline},
    verify: awaits,
    remedies: dnsRemedies,
  };
};

/** The names of the platform itself, in the site's DNS. */
export const siteDns: Step = step({
  id: 'site-dns',
  title: 'Records in the site’s DNS',
  why: 'The platform’s names must lead to the proxy before what uses them is installed; somebody at the site enters them.',
  ...waitingFor(adminRecords),
  after: [hostBaseline],
  enabled: deployment => needsSite(deployment) && adminRecords(deployment).length > 0,
});

/** The names of an environment, in the site's DNS. */
export const environmentDnsStep = (environment: Environment): Step =>
  step({
    id: stepId(environment, 'dns'),
    title: `${environment.name}: records in the site’s DNS`,
    why: `The names of ${environment.name} must lead to the proxy before its services use them.`,
    ...waitingFor(deployment => environmentRecords(deployment, environment)),
    after: [hostBaseline],
    enabled: needsSite,
  });
