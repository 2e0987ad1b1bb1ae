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

/** A list of hosts: one on each line, `user@host:port name`, with `#` comments. An error names the line. */
export const parseHostList = (text: string, file: string): Result<ListedHost[], string> => {
  const hosts: ListedHost[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)[#;].*$/, '').trim();
    if (line === '') continue;
    const host = parseLine(line.split(/\s+/));
    if (!host.ok) return err(`${file}, line ${index + 1}: ${host.error}`);
    hosts.push(host.value);
  }
  return hosts.length > 0 ? ok(hosts) : err(`${file} names no host`);
};

const parseLine = ([first = '', name, ...rest]: readonly string[]): Result<ListedHost, string> => {
  if (rest.length > 0) return err(`"${rest.join(' ')}" is one word too many; write \`user@host:port name\``);
  const host = parseHost(first);
  if (!host.ok || name === undefined) return host;
  return isDnsLabel(name)
    ? ok({...host.value, name})
    : err(`"${name}" is not a host name of lower-case letters, digits and hyphens`);
};
