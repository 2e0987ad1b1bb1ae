import type {FoundHost, TypedSecrets} from '../app/services.ts';
import {openStore} from '../deployment/conf-store.ts';
import {makeFolders, type Paths, pathsFor} from '../deployment/paths.ts';
import type {Store} from '../deployment/store.ts';
import type {Failure} from '../engine/failure.ts';
import type {ConnectOptions} from '../hosts/connect.ts';
import type {Credentials} from '../hosts/credentials.ts';
import {newJumps} from '../hosts/jump.ts';
import {err, ok, type Result} from '../result.ts';
import type {World} from './command.ts';

/** What the operator typed for this process only, by what it is for. */
export type TypedSecretsBox = {
  readonly give: (host: string, secrets: TypedSecrets, identityFile?: string) => void;
  /** Hosts that have other names now, all at once: two may have changed names with each other. */
  readonly rename: (renamed: readonly {readonly from: string; readonly to: string}[]) => void;
  readonly giveVaultPassphrase: (deployment: string, passphrase: string) => void;
  readonly vaultPassphrase: (deployment: string) => string | undefined;
  readonly credentials: Credentials;
  /** All of them, so that they can be kept out of logs. */
  readonly values: () => readonly string[];
};

export const newSecretsBox = (): TypedSecretsBox => {
  const hosts = new Map<string, TypedSecrets>();
  const passphrases = new Map<string, string>();
  const vaults = new Map<string, string>();
  return {
    give: (host, secrets, identityFile) => {
      hosts.set(host, {...hosts.get(host), ...secrets});
      if (identityFile !== undefined && secrets.passphrase !== undefined)
        passphrases.set(identityFile, secrets.passphrase);
    },
    rename: renamed => {
      const moved = renamed.map(({from, to}) => ({to, secrets: hosts.get(from)}));
      for (const {from} of renamed) hosts.delete(from);
      for (const {to, secrets} of moved) if (secrets) hosts.set(to, secrets);
    },
    giveVaultPassphrase: (deployment, passphrase) => vaults.set(deployment, passphrase),
    vaultPassphrase: deployment => vaults.get(deployment) ?? vaults.get(anyDeployment),
    credentials: {
      password: host => hosts.get(host)?.password,
      // A passphrase that was typed for a host opens that host's key, whichever file it turns out to be.
      passphrase: identityFile =>
        passphrases.get(identityFile) ?? [...hosts.values()].findLast(({passphrase}) => passphrase)?.passphrase,
      sudoPassword: host => hosts.get(host)?.sudoPassword ?? hosts.get(host)?.password,
    },
    values: () => [
      ...[...hosts.values()].flatMap(each => Object.values(each)),
      ...passphrases.values(),
      ...vaults.values(),
    ],
  };
};

/** Under this name a vault passphrase stands for whatever deployment the command is about. */
export const anyDeployment = '*';

/** Where a command works: this side's files, and the way to hosts. */
export type Site = {
  readonly world: World;
  readonly paths: Paths;
  readonly store: Store;
  readonly secrets: TypedSecretsBox;
  readonly practice: boolean;
  /** Offered without being asked: practice hosts; otherwise the operator's own OpenSSH settings are read. */
  readonly suggested: readonly FoundHost[] | undefined;
  /** The topology that new answers begin with; undefined: the blueprint's first. */
  readonly topology: string | undefined;
  readonly connectOptions: (signal?: AbortSignal) => ConnectOptions;
};

export const openSite = (
  world: World,
  practice?: {
    readonly directory: string;
    readonly suggested: readonly FoundHost[];
    readonly topology: string;
  },
): Result<Site, Failure> => {
  const paths = pathsFor(practice ? {GROUNDWORK_HOME: practice.directory} : world.environment, world.home);
  try {
    makeFolders(paths);
  } catch (error) {
    return err({
      kind: 'input',
      message: `The folder for Groundwork's files cannot be made: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Make room or correct the rights there, or set GROUNDWORK_HOME to another folder.',
    });
  }
  const store = openStore({directory: paths.config, now: () => new Date()});
  if (!store.ok) return err({kind: 'input', message: store.error});
  const secrets = newSecretsBox();
  const jumps = newJumps();
  return ok({
    world,
    paths,
    store: store.value,
    secrets,
    practice: practice !== undefined,
    suggested: practice?.suggested,
    topology: practice?.topology,
    connectOptions: signal => ({
      knownHostsFile: paths.knownHosts,
      credentials: secrets.credentials,
      jumps,
      openSsh: practice === undefined,
      signal,
    }),
  });
};
