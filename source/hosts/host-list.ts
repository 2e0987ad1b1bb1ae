import {isDnsLabel, isHostReference} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';

/** A host as somebody wrote it down. */
export type ListedHost = {
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly name?: string;
  readonly identityFile?: string;
};

/** `host`, `user@host`, `host:2222`, `user@[fd00::1]:2222`; an IPv6 address alone needs no brackets. */
export const parseHost = (text: string): Result<ListedHost, string> => {
  const match = /^(?:([^@]+)@)?(?:\[([^\]]+)\](?::(\d+))?|([^:[\]]+)(?::(\d+))?|([0-9a-f:.]+))$/i.exec(text);
  const [, user, bracketed, bracketedPort, plain, plainPort, bare] = match ?? [];
  const address = bracketed ?? plain ?? bare;
  if (address === undefined || !isHostReference(address)) {
    return err(`"${text}" is not an address or a host name`);
  }
  return withPort(text, {address, ...(user && {user})}, bracketedPort ?? plainPort);
};

const withPort = (text: string, host: ListedHost, port: string | undefined): Result<ListedHost, string> => {
  if (port === undefined) return ok(host);
  const number = Number(port);
  return /^\d+$/.test(port) && number >= 1 && number <= 65_535
    ? ok({...host, port: number})
    : err(`"${text}": a port is a number from 1 to 65535`);
};

/** A name as Groundwork needs it, a DNS label, from what somebody called the host; `otherwise` where no letter is left. */
export const labelFrom = (text: string, otherwise = 'host'): string => {
  const label = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return isDnsLabel(label) ? label : otherwise;
};

/**
 * A list of hosts: one on each line, `user@host:port name`, with `#` comments; or a simple Ansible inventory in INI
 * form, of which the host lines are read and sections of variables and child groups are passed over.
 * An error names the line.
 */
export const parseHostList = (text: string, file: string): Result<ListedHost[], string> => {
  const hosts: ListedHost[] = [];
  let variables = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)[#;].*$/, '').trim();
    if (line === '') continue;
    const section = /^\[([^\]]*)\]$/.exec(line);
    if (section) {
      variables = /:(vars|children)$/.test(section[1] ?? '');
      continue;
    }
    if (variables) continue;
    const host = parseLine(line);
    if (!host.ok) return err(`${file}, line ${index + 1}: ${host.error}`);
    hosts.push(host.value);
  }
  return hosts.length > 0 ? ok(hosts) : err(`${file} names no host`);
};

const parseLine = (line: string): Result<ListedHost, string> => {
  const [first = '', ...rest] = [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word);
  return rest.some(word => word.includes('=')) ? parseInventoryLine(first, rest) : parsePlainLine(first, rest);
};

const parsePlainLine = (first: string, [name, ...rest]: readonly string[]): Result<ListedHost, string> => {
  if (rest.length > 0) return err(`"${rest.join(' ')}" is one word too many; write \`user@host:port name\``);
  const host = parseHost(first);
  if (!host.ok || name === undefined) return host;
  return isDnsLabel(name)
    ? ok({...host.value, name})
    : err(`"${name}" is not a host name of lower-case letters, digits and hyphens`);
};

const parseInventoryLine = (name: string, words: readonly string[]): Result<ListedHost, string> => {
  const variables = new Map<string, string>();
  for (const word of words) {
    const [key = '', ...value] = word.split('=');
    if (value.length === 0) return err(`"${word}" is not written like name=value`);
    variables.set(key, value.join('=').replace(/^(["'])(.*)\1$/, '$2'));
  }
  const get = (...names: string[]): string | undefined =>
    names.map(key => variables.get(key)).find(value => value !== undefined);
  const said = get('ansible_host', 'ansible_ssh_host');
  const host = parseHost(said ?? name);
  if (!host.ok) return host;
  const user = get('ansible_user', 'ansible_ssh_user');
  const identityFile = get('ansible_ssh_private_key_file', 'ansible_private_key_file');
  const listed = {
    ...host.value,
    ...(said !== undefined && {name: labelFrom(name)}),
    ...(user && {user}),
    ...(identityFile && {identityFile}),
  };
  return withPort(name, listed, get('ansible_port', 'ansible_ssh_port'));
};
