import type {HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {knownAs} from './known-hosts.ts';
import {defaultSettings, expandHome, type Operator, type SshSettings, sshSettings} from './ssh-config.ts';

/** One SSH server, with all that OpenSSH's settings add to what the operator said, and the way to it. */
export type Route = {
  /** As the deployment names it; a jump host is named by its address. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly knownAs: string;
  readonly identityFile: string | undefined;
  readonly settings: SshSettings;
  readonly via: Route | undefined;
};

export type RouteOptions = {
  readonly operator: Operator;
  /** False: OpenSSH's settings, its known hosts and its usual keys are left alone, as for practice hosts. */
  readonly openSsh: boolean;
};

type Destination = {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly identityFile?: string | undefined;
  readonly jump?: HostSpec['jump'];
};

/** What the schema fills in when the operator said nothing. */
export const unsaid = {port: 22, user: 'ubuntu'} as const;

/** As many jumps as anybody has; more are surely a circle. */
const longestRoute = 4;

/**
 * The way to a host. What the operator said of it in the deployment wins over OpenSSH's settings; a port of 22
 * and the user `ubuntu` count as not said, because the schema fills them in. The host's name is always resolved
 * through OpenSSH's settings (an alias is one way to give an address).
 */
export const routeTo = (
  {
    name,
    address,
    port,
    user,
    identityFile,
    jump,
  }: Pick<HostSpec, 'name' | 'address' | 'port' | 'user' | 'identityFile' | 'jump'>,
  options: RouteOptions,
): Promise<Result<Route, Failure>> => resolveRoute({host: name, address, port, user, identityFile, jump}, options, 0);

const resolveRoute = async (
  {host, address, port, user, identityFile, jump}: Destination,
  options: RouteOptions,
  depth: number,
): Promise<Result<Route, Failure>> => {
  if (depth > longestRoute) return err(unusable(host, 'The jump hosts lead round in a circle.'));
  const {operator, openSsh} = options;
  const settings = openSsh ? await sshSettings(address, operator) : withoutOpenSsh(address, operator);
  const said = user === unsaid.user ? undefined : user;
  const next = jump ?? (settings.proxyJump === undefined ? undefined : lastJump(settings.proxyJump));
  if (next === undefined && settings.proxyCommand !== undefined) {
    return err(unusable(host, `OpenSSH's settings reach it by a ProxyCommand: ${settings.proxyCommand}`));
  }
  const via =
    next === undefined ? ok(undefined) : await resolveRoute({...next, host: next.address}, options, depth + 1);
  if (!via.ok) return via;
  const reached = port === unsaid.port ? settings.port : port;
  return ok({
    host,
    address: settings.hostname,
    port: reached,
    user: said ?? settings.user ?? user ?? operator.user,
    knownAs: knownAs(settings.hostKeyAlias ?? settings.hostname, settings.hostKeyAlias ? 22 : reached),
    identityFile: identityFile === undefined ? undefined : expandHome(identityFile, operator.home),
    settings,
    via: via.value,
  });
};

const withoutOpenSsh = (address: string, operator: Operator): SshSettings => ({
  ...defaultSettings(address, operator),
  identityFiles: [],
  agentSocket: undefined,
  userKnownHostsFiles: [],
  globalKnownHostsFiles: [],
});

/** `a,b` means: through a to b, and through b to the host. So the last one is the next one back. */
const lastJump = (proxyJump: string): Destination & {jump?: NonNullable<HostSpec['jump']>} => {
  const [last = '', ...before] = proxyJump.split(',').reverse();
  const jump = before.length > 0 ? lastJump(before.reverse().join(',')) : undefined;
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/.exec(last.trim());
  const address = match?.[2] ?? match?.[3] ?? last;
  return {
    host: address,
    address,
    port: Number(match?.[4] ?? unsaid.port),
    user: match?.[1],
    ...(jump && {jump: {...jump, user: jump.user ?? unsaid.user}}),
  };
};

const unusable = (host: string, cause: string): Failure => ({
  kind: 'input',
  host,
  attempted: `finding the way to ${host}`,
  message: `Groundwork cannot go the way to ${host} that is set.`,
  cause,
  remedy: 'Give the host a jump host in the deployment, or a ProxyJump in ~/.ssh/config.',
});

/** The hosts on the way, the first to be dialled first, without the host itself. */
export const jumpsOf = ({via}: Route): Route[] => (via ? [...jumpsOf(via), via] : []);
