import type {Deployment, HostSpec} from '../deployment/schema.ts';
import type {Facts} from '../hosts/facts.ts';
import type {Products, Resource} from '../resources/resource.ts';
import type {Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import type {Script} from '../shell/script.ts';
import type {GoesWith, Removal} from './removal.ts';

/** Everything that a step may look at while it says what should be. */
export type StepContext = {
  readonly deployment: Deployment;
  readonly host: HostSpec;
  readonly facts: Facts;
  /** What earlier steps produced. Holds at least what the step `needs`. */
  readonly products: Products;
  /** A secret that the step asked for with `secrets`. Asking for another one is a bug and throws. */
  readonly secret: (name: string) => string;
  readonly now: Date;
};

/**
 * A secret that is made once, kept in the vault before its first use, and read back ever after; or one that only the
 * operator has (`given` says what it is), who puts it there.
 */
export type SecretSpec = {readonly name: string} & (
  | {readonly generate: () => string | Promise<string>; readonly given?: undefined}
  | {
      readonly given: string /** How it gets there, when not by `groundwork secrets set`. */;
      readonly remedy?: string;
      readonly generate?: undefined;
    }
);

/** A check with the real tool that what was installed does its work. Read-only, as root, under 15 seconds. */
export type Verification = {
  readonly id: string;
  /** A statement that is true when it passes: `nginx accepts its configuration`. */
  readonly title: string;
  readonly script: Script;
  /** The evidence when it passes; what is wrong when it does not. */
  readonly check: (output: PartOutput) => Result<string, string>;
};

/**
 * What somebody outside has to do before a step can begin: a record in the site's DNS, an opening in its firewall, a
 * certificate from its CA. It is looked at again and again, and while it has not come everything else goes on.
 */
export type Awaited = Verification & {
  /** How it is looked at, as a phrase: `the host’s own resolver is asked`. */
  readonly how: string;
  /** Who has to do what. */
  readonly remedy: string;
};

/** A known failure, recognised by what was printed, with what to do about it. */
export type Remedy = {
  readonly id: string;
  /** Tested against the message and the last lines of output. */
  readonly match: RegExp;
  readonly cause: string;
  readonly remedy: string;
  readonly transient?: boolean;
};

/** A file for the operator, written on this side with mode 0600: a peer's configuration, a CA certificate. */
export type HandoverFile = {
  /** Relative to the deployment's own folder: `peers/laptop.conf`. */
  readonly path: string;
  readonly title: string;
  readonly content: string;
  readonly secret: boolean;
};

/** The same in every deployment, or one for each of its hosts. */
export type ProductNames = readonly string[] | ((deployment: Deployment) => readonly string[]);

export const namesIn = (names: ProductNames | undefined, deployment: Deployment): readonly string[] =>
  typeof names === 'function' ? names(deployment) : (names ?? []);

/** A named unit that the operator sees, retries and skips. Declarative: it says what should be, and never does. */
export type Step = {
  readonly id: string;
  readonly title: string;
  /** One sentence for the operator: what it is for. */
  readonly why: string;
  /** The role of the hosts that it concerns (see the blueprint). */
  readonly role: string;
  /** It acts on the cluster and not on a machine: only the first host that plays its role is concerned. */
  readonly once?: true;
  readonly after: readonly Step[];
  /** Seconds on an ordinary machine, for the progress bar. */
  readonly estimate: number;
  /** Left out of the plan when this says false. */
  readonly enabled?: (deployment: Deployment) => boolean;
  /** Names of products without which `resources` cannot be called. */
  readonly needs?: ProductNames;
  /** Names of products that its resources find out or make. */
  readonly provides?: ProductNames;
  readonly secrets?: (deployment: Deployment) => readonly SecretSpec[];
  /** The step waits for these before it begins. Asked on its host, together with the probes. */
  readonly awaits?: (context: StepContext) => readonly Awaited[];
  readonly resources: (context: StepContext) => readonly Resource[];
  readonly verify: (context: StepContext) => readonly Verification[];
  readonly handover?: (context: StepContext) => readonly HandoverFile[];
  readonly remedies?: readonly Remedy[];
  /** What the operator gives up by skipping it. A step without this cannot be skipped. */
  readonly skippable?: string;
  /** How it is taken away again. */
  readonly removal?: Removal | GoesWith;
};

export const step = (definition: Step): Step => definition;
