import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Failure} from '../../source/engine/failure.ts';
import type {CheckResult} from '../../source/hosts/check.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import type {Result} from '../../source/result.ts';
import {hasOwnDns, roles} from '../shared/deployment.ts';
import {acceptedAddresses, type DnsRecord, recordsOf} from './records.ts';
import {type Answer, judge, readResolution, resolutionScript} from './resolution.ts';
import {dnsCheckId} from './site-dns.ts';

/** Two tries of two seconds for the slowest name, and room for a busy machine. */
const timeoutMs = 30_000;

type Asked = {readonly id: string; readonly host: string; readonly title: string; readonly remedy: string};

/** A warning and no error: where a record is needed the installation waits for it, and does the rest. */
const checkOf = (
  {id, host, title, remedy}: Asked,
  deployment: Deployment,
  records: readonly DnsRecord[],
  answers: readonly Answer[],
): CheckResult => {
  const wrong = records.flatMap((record, index) => {
    const answer = answers[index];
    const judged = answer && judge(answer, acceptedAddresses(deployment, record));
    return judged?.ok ? [] : [`${record.name}: ${judged ? judged.error : 'not asked'}`];
  });
  return {
    id,
    host,
    title,
    severity: 'warning',
    acceptable: true,
    outcome: wrong.length === 0 ? 'passed' : 'failed',
    found: wrong.length === 0 ? `all ${records.length} as they should be` : wrong.join('; '),
    needed: `${records.length} records of the site’s DNS`,
    remedy: wrong.length === 0 ? '' : remedy,
  };
};

/**
 * What each host's own resolver says about the records of the site's DNS, and what this side's does. Without a site's DNS
 * there is nothing to ask, and practice hosts have no network that could be asked.
 */
export const dnsChecks = async (
  deployment: Deployment,
  hosts: readonly {readonly host: HostSpec; readonly facts: Facts}[],
  connect: (host: HostSpec) => Promise<Result<Connection, Failure>>,
  here: (name: string) => Promise<Answer>,
  signal: AbortSignal,
): Promise<readonly CheckResult[]> => {
  const records = recordsOf(deployment).filter(({channel}) => channel === 'private');
  const real = hosts.filter(({facts}) => !facts.practice);
  if (hasOwnDns(deployment) || records.length === 0 || real.length === 0) return [];
  const script = resolutionScript(records.map(({name}) => name));
  const onHosts = await Promise.all(
    real.map(async ({host}) => {
      const connection = await connect(host);
      const output = connection.ok ? await connection.value.run(script, {timeoutMs, signal}) : connection;
      return checkOf(
        {
          id: dnsCheckId,
          host: host.name,
          title: 'Records of the site’s DNS, as the host finds them',
          remedy:
            'Give `groundwork checklist` to whoever keeps the zone. The installation waits for what is missing; with this check accepted it does not.',
        },
        deployment,
        records,
        output.ok ? readResolution(output.value.stdout) : [],
      );
    }),
  );
  // Said once, with the machine that the names lead to.
  const proxy = real.find(({host}) => host.roles.includes(roles.proxy));
  if (!proxy || signal.aborted) return onHosts;
  const answers = await Promise.all(records.map(({name}) => here(name)));
  return [
    ...onHosts,
    checkOf(
      {
        id: `${dnsCheckId}-here`,
        host: proxy.host.name,
        title: 'The same, as this machine finds them',
        remedy: 'Only those who open the pages from here need it: connect the VPN, or ask the resolver of the site.',
      },
      deployment,
      records,
      answers,
    ),
  ];
};
