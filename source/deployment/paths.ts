import {isAbsolute, join, resolve} from 'node:path';
import {ownFolder} from './durable-file.ts';

/** Where one deployment keeps what belongs to it on this side. */
export type DeploymentPaths = {
  /** Files that are handed over to the operator (peers, the CA certificate) lie in it directly. */
  readonly folder: string;
  readonly vault: string;
  /** The lock of a run: see lock.ts. */
  readonly lock: string;
  readonly runs: string;
  /** The folder of one run: its journal lies in it. */
  readonly run: (id: string) => string;
  readonly logs: string;
  readonly log: (host: string) => string;
  /** What can be found out again. */
  readonly cache: string;
};

export type Paths = {
  /** The folder of config.json, the list of deployments and the preferences. */
  readonly config: string;
  readonly knownHosts: string;
  readonly state: string;
  readonly deployment: (name: string) => DeploymentPaths;
};

export type PathVariables = Readonly<
  Partial<Record<'GROUNDWORK_HOME' | 'XDG_CONFIG_HOME' | 'XDG_STATE_HOME', string | undefined>>
>;

/** The XDG base directory specification: a relative path in its variables is to be ignored. */
const absolute = (text: string | undefined): string | undefined => (text && isAbsolute(text) ? text : undefined);

/**
 * Where Groundwork keeps its files: below GROUNDWORK_HOME if that is set, else where the XDG base directory
 * specification says. `home` is the operator's home folder. Nothing is made yet.
 */
export const pathsFor = (variables: PathVariables, home: string): Paths => {
  const own = variables.GROUNDWORK_HOME ? resolve(variables.GROUNDWORK_HOME) : undefined;
  const config = own ?? join(absolute(variables.XDG_CONFIG_HOME) ?? join(home, '.config'), 'groundwork');
  const state = own
    ? join(own, 'state')
    : join(absolute(variables.XDG_STATE_HOME) ?? join(home, '.local', 'state'), 'groundwork');
  return {
    config,
    knownHosts: join(config, 'known_hosts'),
    state,
    deployment: name => {
      const folder = join(state, name);
      return {
        folder,
        vault: join(folder, 'vault.json'),
        lock: join(folder, 'lock.json'),
        runs: join(folder, 'runs'),
        run: id => join(folder, 'runs', id),
        logs: join(folder, 'logs'),
        log: host => join(folder, 'logs', `${host}.log`),
        cache: join(folder, 'cache'),
      };
    },
  };
};

/** Makes the folders that the program itself needs, each for its owner only. */
export const makeFolders = (paths: Paths): void => {
  ownFolder(paths.config);
  ownFolder(paths.state);
};

/** Makes the folders of one deployment, each for its owner only. */
export const makeDeploymentFolders = ({folder, runs, logs, cache}: DeploymentPaths): void => {
  for (const path of [folder, runs, logs, cache]) ownFolder(path);
};
