import type {Answer} from '../../steps/site-dns/resolution.ts';
import type {Blueprint} from '../blueprints/blueprint.ts';
import type {RemovalRequest} from '../blueprints/removal.ts';
import type {Deployment, HostSpec, Tls} from '../deployment/schema.ts';
import type {Preferences, SavedDeployment} from '../deployment/store.ts';
import type {PlannedStep, RunEvent, RunOutcome} from '../engine/events.ts';
import type {Failure} from '../engine/failure.ts';
import type {AskPort, ControlPort, EventPort} from '../engine/ports.ts';
import type {CheckResult} from '../hosts/check.ts';
import type {Facts} from '../hosts/facts.ts';
import type {HostKeyFinding} from '../hosts/host-key.ts';
import type {Imported} from '../import/item.ts';
import type {HostRemoval} from '../reporters/removal.ts';
import type {Result} from '../result.ts';

/** A host that discovery found, before it is part of a deployment. */
export type FoundHost = {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user?: string;
  /** The key that a list or the operator's OpenSSH settings name for it. */
  readonly identityFile?: string;
  /** The way there, where an inventory names one. */
  readonly jump?: {
    readonly address: string;
    readonly port: number;
    readonly user?: string;
    readonly identityFile?: string;
  };
  /** What found it, in words: `range 10.0.0.11-20`, `~/.ssh/config`, `practice`. */
  readonly source: string;
};

/** One host after it was logged in to: its facts and checks, or why not. */
export type HostReport = {readonly host: string} & (
  | {readonly state: 'ready'; readonly facts: Facts; readonly checks: readonly CheckResult[]}
  | {readonly state: 'failed'; readonly failure: Failure}
);

/** What the operator typed to log in; kept in memory only. */
export type TypedSecrets = {readonly password?: string; readonly passphrase?: string; readonly sudoPassword?: string};

export type Planned = {
  readonly steps: readonly PlannedStep[];
  readonly changes: number;
  readonly unchanged: number;
  readonly reports: readonly HostReport[];
};

export type RunPorts = {
  readonly events: EventPort;
  readonly ask: AskPort;
  readonly control: ControlPort;
  /** Go on although another program holds the lock of the deployment: the operator was told which, and typed it out. */
  readonly takeOver?: boolean;
};

export type RunResult = {
  readonly outcome: RunOutcome;
  readonly changed: number;
  readonly unchanged: number;
  readonly failed: number;
  /** Set when it could not begin because another program works on the deployment: a sentence that says which. */
  readonly lockedBy?: string;
};

/** A sentence about certificates, and how grave it is. */
export type Remark = {readonly severity: 'error' | 'warning' | 'note' | 'good'; readonly text: string};

/** Files of a CA, judged. */
export type JudgedFiles = {
  readonly usable: boolean;
  /** What they are, in one sentence. */
  readonly summary: string;
  /** What is wrong with them, and names of the deployment that they do not cover. */
  readonly remarks: readonly Remark[];
};

/** Why files could not be read at all. */
export type NotRead = {readonly needsPassword: boolean; readonly message: string};

export type FolderEntry = {readonly name: string; readonly folder: boolean};

/** Certificates from a CA: see docs/certificates.md. */
export type CertificateServices = {
  /** The state of each certificate of a deployment by its name, and what stands in the way as a whole. */
  readonly state: (deployment: Deployment) => Promise<{
    readonly certificates: readonly (Remark & {readonly name: string})[];
    readonly remarks: readonly Remark[];
  }>;
  /** What is in a folder of this side; undefined when it cannot be read. */
  readonly folder: (path: string) => readonly FolderEntry[] | undefined;
  readonly examine: (
    deployment: Deployment,
    paths: readonly string[],
    password: string,
  ) => Promise<Result<JudgedFiles, NotRead>>;
  /** Keeps certificates in the vault; the answer names them, and has the settings that go with them. */
  readonly keep: (
    deployment: Deployment,
    paths: readonly string[],
    password: string,
  ) => Promise<Result<{readonly names: readonly string[]; readonly tls: Tls}, string>>;
  /** Makes a request for a CA to sign, with its key in the vault. */
  readonly request: (
    deployment: Deployment,
    wish: {readonly name: string; readonly each: boolean; readonly subject: string; readonly kind: 'ec' | 'rsa'},
  ) => Promise<Result<{readonly file: string; readonly tls: Tls}, string>>;
  /** The names that a request asks for: wildcards, or each service. */
  readonly requestNames: (deployment: Deployment, each: boolean) => readonly string[];
  /** Where the operator's files most likely are. */
  readonly startFolder: string;
};

/**
 * Everything that screens may ask of the program. Screens know this and nothing behind it, so that they are tested
 * with a made-up one.
 */
export type Services = {
  readonly blueprints: readonly Blueprint[];
  /** The program runs on practice hosts: every screen says so. */
  readonly practice: boolean;
  readonly deployments: () => readonly SavedDeployment[];
  readonly save: (saved: SavedDeployment) => void;
  /** The topology that new answers begin with; absent: the blueprint's first. */
  readonly firstTopology?: string;
  /** The answers that a new deployment begins with: the platform on the ground, and what this site says by itself. */
  readonly firstAnswers: (blueprint: Blueprint, name: string, topology: string) => Deployment;
  /** Forgets a deployment, with its secrets, files and logs on this side. */
  readonly remove: (name: string) => void;
  /** Gives what is kept of a deployment another name; the error says why that cannot be. */
  readonly rename: (from: string, to: string) => Result<void, string>;
  readonly preferences: () => Preferences;
  readonly setPreferences: (preferences: Preferences) => void;
  /** What the operator must be told at the start, such as a damaged settings file. */
  readonly notices: readonly string[];

  /** Addresses, ranges, a subnet to scan, `ssh-config`, a path of a list: one or several, separated by blanks or commas. */
  readonly discover: (sources: string, signal: AbortSignal) => Promise<Result<readonly FoundHost[], string>>;
  /** Hosts of the operator's own OpenSSH settings, and practice hosts: offered without being asked. */
  readonly suggestedHosts: () => Promise<readonly FoundHost[]>;
  /** Host keys of all hosts, fetched without logging in. */
  readonly hostKeys: (
    hosts: readonly HostSpec[],
    signal: AbortSignal,
  ) => Promise<readonly Result<HostKeyFinding, Failure>[]>;
  /** Writes keys that the operator has accepted to Groundwork's known hosts. */
  readonly trust: (findings: readonly HostKeyFinding[]) => Promise<void>;
  readonly giveSecrets: (host: string, secrets: TypedSecrets) => void;
  /** Keeps what was typed for hosts under the names that they have now. */
  readonly renameHosts: (renamed: readonly {readonly from: string; readonly to: string}[]) => void;
  /** Names of the secrets that lie in the vault of a deployment; none when it cannot be opened. */
  readonly secretNames: (deployment: string) => Promise<readonly string[]>;
  /** Keeps a secret that the operator typed in the vault of a deployment. */
  readonly keepSecret: (deployment: string, name: string, value: string) => Promise<Result<void, string>>;
  readonly certificates: CertificateServices;
  /** Logs in, gathers facts, runs preflight; reports come one by one as they are ready. */
  readonly inspect: (
    deployment: Deployment,
    onReport: (report: HostReport) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Lets the machines call each other where they will once they are installed; reports come again with what was found. */
  readonly tryConnections: (
    deployment: Deployment,
    reports: readonly HostReport[],
    onReport: (report: HostReport) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** The same report with its checks made anew from the facts that it holds, after an answer has changed. */
  readonly recheck: (deployment: Deployment, report: HostReport) => HostReport;

  /** What is wrong with a deployment as a whole (overlaps, addresses outside a subnet), by field path. */
  readonly problems: (
    deployment: Deployment,
  ) => readonly {readonly path: string; readonly message: string; readonly severity?: 'error' | 'warning'}[];
  readonly plan: (
    deployment: Deployment,
    onReport: (report: HostReport) => void,
    signal: AbortSignal,
  ) => Promise<Result<Planned, Failure>>;
  readonly run: (deployment: Deployment, ports: RunPorts) => Promise<RunResult>;
  /** Checks with the real tools that what was installed does its work, and changes nothing; events as of a run. */
  readonly verify: (deployment: Deployment, ports: RunPorts) => Promise<RunResult>;
  /** What there is to be taken away, host by host; changes nothing. */
  readonly lookForRemoval: (
    deployment: Deployment,
    request: RemovalRequest,
    signal: AbortSignal,
  ) => Promise<Result<readonly HostRemoval[], Failure>>;
  /** Takes it away; an environment then also leaves the saved answers. */
  readonly uninstall: (deployment: Deployment, request: RemovalRequest, ports: RunPorts) => Promise<RunResult>;
  /** The events of the last run of a deployment, oldest first. */
  readonly lastRun: (name: string) => readonly RunEvent[];

  /** Where things lie on this side, for Done and Home. */
  readonly folderOf: (name: string) => string;
  readonly logOf: (name: string, host: string) => string;
  /** The command that opens a shell on a host, for the failure card: program and arguments. */
  readonly shellCommand: (host: HostSpec) => readonly string[];
  readonly exportYaml: (deployment: Deployment, path: string) => Promise<Result<void, string>>;
  /** What this machine's own resolvers say about names, in their order. */
  readonly resolveNames: (names: readonly string[]) => Promise<readonly Answer[]>;
  /** Writes what other departments have to provide to a new file: Markdown for a name that ends in .md, else text. */
  readonly saveChecklist: (deployment: Deployment, path: string) => Promise<Result<void, string>>;
  /**
   * Makes a deployment of files that people have: settings of OpenG2P's scripts, inventories, or one that was exported.
   * The error says what cannot be read, by file.
   */
  readonly importSettings: (paths: readonly string[]) => Promise<Result<Imported, string>>;
};
