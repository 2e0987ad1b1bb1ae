import {readFile, stat} from 'node:fs/promises';
import type {FoundHost} from '../app/services.ts';
import {
  type Address,
  addressAt,
  expandRange,
  isHostAddress,
  largestRange,
  parseAddress,
  parseCidr,
  sizeOf,
} from '../network/address.ts';
import {isHostReference} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';
import {type ListedHost, labelFrom, parseHost, parseHostList} from './host-list.ts';
import {type InventoryHost, parseInventory} from './inventories.ts';
import {scan} from './scan.ts';
import {expandHome, type Operator, operator, type SshSettings, sshAliases, sshSettings} from './ssh-config.ts';

export type DiscoverOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly operator?: Operator;
  /** The port that a subnet is scanned for. */
  readonly port?: number;
  readonly scanTimeoutMs?: number;
};

/** A LAN answers in a few milliseconds; a lost first packet is sent again after one second. */
const scanTimeoutMs = 1_500;
const scanAtOnce = 256;

/**
 * The hosts that a line of sources names: addresses and names (`user@host:port`), ranges (`10.0.0.11-20`), subnets
 * (`10.0.0.0/24`, scanned for SSH), `ssh-config`, and paths of lists; separated by blanks or commas.
 * The error says which word is wrong, and in which line of which file.
 */
export const discover = async (
  sources: string,
  options: DiscoverOptions = {},
): Promise<Result<readonly FoundHost[], string>> => {
  const words = sources.split(/[\s,]+/).filter(word => word !== '');
  if (words.length === 0) return err('Name at least one address, range, subnet or list.');
  const found: FoundHost[] = [];
  for (const word of words) {
    const hosts = await fromWord(word, options);
    if (!hosts.ok) return hosts;
    found.push(...hosts.value);
    if (options.signal?.aborted) return err('The search was stopped.');
  }
  return ok(withUniqueNames(found));
};

const fromWord = async (word: string, options: DiscoverOptions): Promise<Result<readonly FoundHost[], string>> => {
  const {operator: who = operator()} = options;
  if (word === 'ssh-config') return ok(await sshConfigHosts(who));
  if (/^[0-9a-f:.]+\/\d+$/i.test(word)) return await fromSubnet(word, options);
  if (/^[0-9a-f:.]+-[0-9a-f:.]+$/i.test(word) && /[.:]/.test(word)) {
    const addresses = expandRange(word);
    return addresses.ok ? ok(addresses.value.map(address => plain({address}, `range ${word}`))) : addresses;
  }
  const path = expandHome(word, who.home);
  if (word.includes('/') || (await isFile(path))) return await fromList(path);
  const host = parseHost(word);
  return host.ok ? ok([plain(host.value, 'typed')]) : err(`${host.error}, a range, a subnet or a list of hosts`);
};

const isFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
};

const fromSubnet = async (
  word: string,
  {signal, port = 22, scanTimeoutMs: timeoutMs = scanTimeoutMs}: DiscoverOptions,
): Promise<Result<readonly FoundHost[], string>> => {
  const cidr = parseCidr(word);
  if (!cidr.ok) return cidr;
  const size = sizeOf(cidr.value);
  if (size > largestRange) return err(`"${word}" holds more than ${largestRange} addresses; name a smaller subnet`);
  const addresses = Array.from({length: Number(size)}, (_, index) => addressAt(cidr.value, index)).filter(
    (address): address is Address => address !== undefined && isHostAddress(cidr.value, address),
  );
  const open = await scan(addresses, {port, timeoutMs, atOnce: scanAtOnce, signal});
  return ok(open.map(address => plain({address, port}, `subnet ${word}`)));
};

const fromList = async (path: string): Promise<Result<readonly FoundHost[], string>> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return err(`The list ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const inventory = parseInventory(text, path);
  if (inventory !== undefined) {
    return inventory.ok ? ok(inventory.value.hosts.map(host => plain(loginOf(host), `inventory ${path}`))) : inventory;
  }
  const hosts = parseHostList(text, path);
  return hosts.ok ? ok(hosts.value.map(host => plain(host, `list ${path}`))) : hosts;
};

const loginOf = ({address, port, user, name, identityFile, jump}: InventoryHost): Listed => ({
  address,
  ...(port !== undefined && {port}),
  ...(user !== undefined && {user}),
  ...(name !== undefined && {name}),
  ...(identityFile !== undefined && {identityFile}),
  ...(jump !== undefined && {jump}),
});

/** As a list or an inventory has it. */
type Listed = ListedHost & Pick<FoundHost, 'jump'>;

const plain = ({address, port = 22, name, ...rest}: Listed, source: string): FoundHost => ({
  name: name ?? nameOf(address),
  address,
  port,
  source,
  ...rest,
});

/** `db.example.org` is called db; an address is called by its numbers. */
const nameOf = (address: string): string =>
  parseAddress(address).ok ? labelFrom(`host-${address}`) : labelFrom(address.split('.')[0] ?? address);

/** Hosts found twice count once; a name that two have gets a number. */
const withUniqueNames = (hosts: readonly FoundHost[]): FoundHost[] => {
  const unique = new Map<string, FoundHost>();
  for (const host of hosts) {
    const key = `${host.address} ${host.port}`;
    if (!unique.has(key)) unique.set(key, host);
  }
  const taken = new Set<string>();
  return [...unique.values()].map(host => {
    let name = host.name;
    for (let number = 2; taken.has(name); number++) name = `${host.name.slice(0, 58)}-${number}`;
    taken.add(name);
    return {...host, name};
  });
};

/**
 * The hosts that the operator has named in OpenSSH's settings. The user that OpenSSH would take is always told,
 * because Groundwork's own default is another one. Accounts of code hosting (`git@…`) are no machines and left out.
 */
export const sshConfigHosts = async (who: Operator = operator()): Promise<readonly FoundHost[]> => {
  const aliases = await sshAliases(who);
  const hosts = await Promise.all(aliases.map(alias => fromAlias(alias, who)));
  return withUniqueNames(hosts.filter(({user}) => user !== 'git'));
};

const fromAlias = async (alias: string, who: Operator): Promise<FoundHost> => {
  const settings = await sshSettings(alias, who);
  const usual = settings.hostname === alias ? settings : await sshSettings(settings.hostname, who);
  const own = settings.identityFiles.filter(file => !usual.identityFiles.includes(file));
  // The address itself when nothing is lost by it; the alias where OpenSSH's settings say more about it.
  const address = (sameWay(settings, usual) && own.length <= 1) || !isHostReference(alias) ? settings.hostname : alias;
  return {
    name: labelFrom(alias),
    address,
    port: settings.port,
    user: settings.user ?? who.user,
    ...(own[0] !== undefined && address !== alias && {identityFile: own[0]}),
    source: who.configFile ?? '~/.ssh/config',
  };
};

const sameWay = (a: SshSettings, b: SshSettings): boolean =>
  a.proxyJump === b.proxyJump &&
  a.proxyCommand === b.proxyCommand &&
  a.hostKeyAlias === b.hostKeyAlias &&
  a.agentSocket === b.agentSocket &&
  a.userKnownHostsFiles.join() === b.userKnownHostsFiles.join();
