import type {HostSpec} from '../deployment/schema.ts';
import {quote} from '../shell/script.ts';
import {unsaid} from './route.ts';
import {expandHome, type Operator, operator, sshSettingsSync} from './ssh-config.ts';

export type ShellOptions = {
  readonly knownHostsFile: string;
  readonly operator?: Operator;
};

type Destination = Pick<HostSpec, 'address' | 'port' | 'user' | 'identityFile'>;

/**
 * Program and arguments that open a shell on a host the way Groundwork reaches it: same address, user, port, key and
 * jump host, and the host keys that were accepted here count as known beside the operator's own.
 */
export const shellCommand = (
  host: Pick<HostSpec, 'reach' | 'jump'> & Destination,
  {knownHostsFile, operator: who = operator()}: ShellOptions,
): readonly string[] => {
  if (host.reach === 'local') return ['bash', '--login'];
  const jump = host.jump ? ['-o', `ProxyCommand=${proxyCommand(host.jump, knownHostsFile, who)}`] : [];
  return ['ssh', ...sshArguments(host, knownHostsFile, who), ...jump, host.address];
};

const sshArguments = (
  {address, port, user, identityFile}: Destination,
  knownHostsFile: string,
  who: Operator,
): string[] => {
  const settings = sshSettingsSync(address, who);
  const files = [...settings.userKnownHostsFiles, knownHostsFile].map(file => `"${file}"`).join(' ');
  return [
    ...(who.configFile ? ['-F', who.configFile] : []),
    '-l',
    user === unsaid.user ? (settings.user ?? user) : user,
    ...(port === unsaid.port ? [] : ['-p', String(port)]),
    ...(identityFile ? ['-i', expandHome(identityFile, who.home), '-o', 'IdentitiesOnly=yes'] : []),
    '-o',
    `UserKnownHostsFile=${files}`,
  ];
};

/** Not `-J`: the ssh that it starts knows neither the jump host's own key file nor our accepted host keys. */
const proxyCommand = (jump: Destination, knownHostsFile: string, who: Operator): string =>
  [
    ...['ssh', ...sshArguments(jump, knownHostsFile, who)].map(word => quote(word).replaceAll('%', '%%')),
    '-W',
    '%h:%p',
    quote(jump.address),
  ].join(' ');
