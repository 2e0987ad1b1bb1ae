import {glob, readFile} from 'node:fs/promises';
import {homedir, userInfo} from 'node:os';
import {join, resolve} from 'node:path';
import {execa, execaSync} from 'execa';

/** Who sits at this machine, as far as OpenSSH's settings depend on it. */
export type Operator = {
  readonly home: string;
  readonly user: string;
  /** Socket of the running ssh-agent. */
  readonly agentSocket: string | undefined;
  /** Read instead of OpenSSH's own settings files. */
  readonly configFile?: string;
};

export const operator = (environment: NodeJS.ProcessEnv = process.env): Operator => ({
  home: environment.HOME ?? homedir(),
  user: userInfo().username,
  agentSocket: environment.SSH_AUTH_SOCK,
});

/** What OpenSSH would do for one destination. Paths are absolute. */
export type SshSettings = {
  readonly hostname: string;
  readonly port: number;
  /** Undefined when nothing sets it: OpenSSH then takes the login name on this machine. */
  readonly user: string | undefined;
  /** Key files in OpenSSH's order; most of the usual ones do not exist. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  readonly agentSocket: string | undefined;
  /** `user@host:port`, comma separated; undefined for none. */
  readonly proxyJump: string | undefined;
  readonly proxyCommand: string | undefined;
  /** The operator's own known_hosts files; OpenSSH writes to the first. */
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyAlias: string | undefined;
};

const usualKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** What OpenSSH does where nothing is set; also what holds on a machine without OpenSSH. */
export const defaultSettings = (address: string, {home, agentSocket}: Operator): SshSettings => ({
  hostname: address,
  port: 22,
  user: undefined,
  identityFiles: usualKeys.map(name => join(home, '.ssh', name)),
  identitiesOnly: false,
  agentSocket,
  proxyJump: undefined,
  proxyCommand: undefined,
  userKnownHostsFiles: [join(home, '.ssh/known_hosts'), join(home, '.ssh/known_hosts2')],
  globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
  hostKeyAlias: undefined,
});

/** Longer than any settings file takes to read; what hangs is a command in somebody's `Match exec`. */
const sshTimeoutMs = 10_000;

const sshArguments = (address: string, {configFile}: Operator): string[] => [
  '-G',
  ...(configFile ? ['-F', configFile] : []),
  '--',
  address,
];

const sshOptions = {reject: false, stdin: 'ignore', timeout: sshTimeoutMs} as const;

/**
 * OpenSSH's settings for a destination, as `ssh -G` prints them: aliases, includes, patterns and `Match` are then
 * understood as OpenSSH understands them. Without the program, or when it refuses its settings, the defaults hold.
 */
export const sshSettings = async (address: string, who: Operator): Promise<SshSettings> => {
  const {stdout, failed} = await execa('ssh', sshArguments(address, who), sshOptions);
  return failed ? defaultSettings(address, who) : parseSshSettings(stdout, address, who);
};

/** The same at once, for what cannot wait: a few milliseconds. */
export const sshSettingsSync = (address: string, who: Operator): SshSettings => {
  const {stdout, failed} = execaSync('ssh', sshArguments(address, who), sshOptions);
  return failed ? defaultSettings(address, who) : parseSshSettings(stdout, address, who);
};

export const parseSshSettings = (text: string, address: string, who: Operator): SshSettings => {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, key = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (key) values.set(key, [...(values.get(key) ?? []), value]);
  }
  const one = (key: string): string | undefined => {
    const value = values.get(key)?.[0];
    return value === undefined || value === 'none' ? undefined : value;
  };
  const defaults = defaultSettings(address, who);
  const hostname = one('hostname') ?? address;
  const port = Number(one('port') ?? 22);
  const user = one('user');
  const expand = (path: string) => expandPath(path, {...who, hostname, port, remoteUser: user ?? who.user, address});
  const files = (key: string) =>
    values
      .get(key)
      ?.flatMap(value => value.split(' '))
      .filter(path => path !== '' && path !== 'none')
      .map(expand);
  const agent = one('identityagent');
  return {
    hostname,
    port,
    // OpenSSH fills in the login name of this machine and does not tell it from a set one.
    user: user === who.user ? undefined : user,
    identityFiles: (values.get('identityfile') ?? []).filter(path => path !== 'none').map(expand),
    identitiesOnly: one('identitiesonly') === 'yes',
    agentSocket: values.get('identityagent')?.[0] === 'none' ? undefined : agentSocketOf(agent, who, expand),
    proxyJump: one('proxyjump'),
    proxyCommand: one('proxycommand'),
    userKnownHostsFiles: files('userknownhostsfile') ?? defaults.userKnownHostsFiles,
    globalKnownHostsFiles: files('globalknownhostsfile') ?? defaults.globalKnownHostsFiles,
    hostKeyAlias: one('hostkeyalias'),
  };
};

/** `SSH_AUTH_SOCK` and `$NAME` mean a variable, everything else is a path. */
const agentSocketOf = (value: string | undefined, who: Operator, expand: (path: string) => string) =>
  value === undefined || value === 'SSH_AUTH_SOCK' || value === '$SSH_AUTH_SOCK' ? who.agentSocket : expand(value);

type Tokens = Operator & {hostname: string; port: number; remoteUser: string; address: string};

/** `~` and the tokens that paths may hold (ssh_config(5), TOKENS); most versions print them unexpanded. */
const expandPath = (path: string, {home, user, hostname, port, remoteUser, address}: Tokens): string => {
  const tokens: Record<string, string> = {
    '%': '%',
    d: home,
    h: hostname,
    n: address,
    p: String(port),
    r: remoteUser,
    u: user,
  };
  return resolve(expandHome(path, home).replace(/%(.)/g, (all, token: string) => tokens[token] ?? all));
};

export const expandHome = (path: string, home: string): string => path.replace(/^~(?=\/|$)/, home);

/**
 * Names that the operator gave to hosts in OpenSSH's settings: those without patterns, in order, includes followed.
 * Only the names: what they mean, `ssh -G` says.
 */
export const sshAliases = async (
  who: Operator,
  file = who.configFile ?? join(who.home, '.ssh/config'),
  depth = 0,
): Promise<string[]> => {
  // As deep as OpenSSH itself follows includes (READCONF_MAX_DEPTH).
  if (depth > 16) return [];
  const text = await readFile(file, 'utf8').catch(() => '');
  const names: string[] = [];
  for (const line of text.split('\n')) {
    const [, keyword = '', rest = ''] = /^\s*(host|include)(?:\s*=\s*|\s+)(.+?)\s*$/i.exec(line) ?? [];
    const words = [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    if (keyword.toLowerCase() === 'host') names.push(...words.filter(word => !/[*?!]/.test(word)));
    if (keyword.toLowerCase() === 'include') {
      for (const word of words) {
        for (const included of await matchingFiles(word, who))
          names.push(...(await sshAliases(who, included, depth + 1)));
      }
    }
  }
  return [...new Set(names)];
};

const matchingFiles = async (pattern: string, {home}: Operator): Promise<string[]> => {
  const path = expandHome(pattern, home).replace(/^(?!\/)/, `${home}/.ssh/`);
  const found: string[] = [];
  for await (const file of glob(path)) found.push(file);
  return found.sort();
};
