import type {Machine} from '../blueprints/blueprint.ts';
import type {Deployment, HostSpec} from '../deployment/schema.ts';
import type {CheckResult} from './check.ts';
import type {Facts} from './facts.ts';

/** Everything that a check may look at. */
export type CheckContext = {
  readonly host: HostSpec;
  readonly facts: Facts;
  readonly machine: Machine;
  readonly deployment: Deployment;
  /** The installer's clock at the moment when the facts came in. */
  readonly now: Date;
};

/** What a test says; severity and whether it may be accepted can depend on what was found. */
export type Finding = Pick<CheckResult, 'outcome' | 'found' | 'needed' | 'remedy'> &
  Partial<Pick<CheckResult, 'severity' | 'acceptable'>>;

export type Check = Pick<CheckResult, 'id' | 'title' | 'severity' | 'acceptable'> & {
  /** Left out of the report when this says false. */
  readonly applies?: (context: CheckContext) => boolean;
  readonly test: (context: CheckContext) => Finding;
};

export const passed = (found: string, needed: string): Finding => ({outcome: 'passed', found, needed, remedy: ''});

export const failed = (
  found: string,
  needed: string,
  remedy: string,
  weight: Partial<Pick<CheckResult, 'severity' | 'acceptable'>> = {},
): Finding => ({outcome: 'failed', found, needed, remedy, ...weight});

/** The commonest test: whether something is as it should be. */
export const whether = (good: boolean, found: string, needed: string, remedy: string): Finding =>
  good ? passed(found, needed) : failed(found, needed, remedy);

/** A practice host borrows its hardware, clock and network from the operator's own machine: they prove nothing. */
export const onRealHost = ({facts}: CheckContext): boolean => !facts.practice;

export const plays =
  (role: string) =>
  ({host}: CheckContext): boolean =>
    host.roles.includes(role);

/** What stands on the host was laid by this very deployment, so that what it left there is no stranger's. */
export const isOurs = ({facts, deployment}: CheckContext): boolean => facts.deployment === deployment.name;

/** Memory and free space, in the binary units that `free -h` and `df -h` print. */
export const inGiB = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

/** Disks, in the decimal units that vendors sell and clouds bill. */
export const inGB = (bytes: number): string => `${Math.round(bytes / 1e9)} GB`;
