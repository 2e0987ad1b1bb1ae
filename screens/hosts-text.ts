import type {HostReport} from '../source/app/services.ts';
import {bytes, counted} from '../source/components/text.ts';
import type {HostSpec} from '../source/deployment/schema.ts';
import {acceptanceOf, type CheckResult} from '../source/hosts/check.ts';

/** Checks that stop an installation: failed, grave, and not accepted. */
export const blockingOf = (report: HostReport | undefined, accepted: readonly string[]): readonly CheckResult[] =>
  report?.state === 'ready'
    ? report.checks.filter(
        check => check.outcome === 'failed' && check.severity === 'error' && !accepted.includes(acceptanceOf(check)),
      )
    : [];

/** What a machine is, in a few words. */
export const described = ({facts}: Extract<HostReport, {state: 'ready'}>): string =>
  `${facts.os.title}, ${counted(facts.cpus, 'CPU')}, ${bytes(facts.memoryBytes)}`;

/** One line about a host: what is known of it, the worst first. */
export const hostState = (report: HostReport | undefined, accepted: readonly string[]): string => {
  if (!report) return 'not looked at yet';
  if (report.state === 'failed') return `cannot be used: ${report.failure.message}`;
  return `${briefState(report, accepted)}; ${described(report)}`;
};

export const loginText = (host: HostSpec): string =>
  host.reach === 'local' ? 'this machine' : `${host.user}@${host.address}${host.port === 22 ? '' : `:${host.port}`}`;

/** The same in two or three words, for where many hosts are listed below each other. */
export const briefState = (report: HostReport | undefined, accepted: readonly string[]): string => {
  if (!report) return 'not looked at yet';
  if (report.state === 'failed') return 'CANNOT BE USED';
  const blocking = blockingOf(report, accepted).length;
  return blocking > 0 ? `${counted(blocking, 'check')} failed` : 'ready';
};
