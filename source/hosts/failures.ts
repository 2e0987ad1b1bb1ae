import stripAnsi from 'strip-ansi';
import type {Failure} from '../engine/failure.ts';

/** Text from a host as lines that are safe on a terminal: no control sequences, no empty lines, the last `count`. */
export const lastLines = (text: string, count = 12): string[] =>
  stripAnsi(text)
    .split(/\r?\n|\r/)
    .map(line => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '').trimEnd())
    .filter(line => line !== '')
    .slice(-count);

/** One line of text from a host or a library, safe on a terminal: what a failure may quote. */
export const quotable = (text: string): string => lastLines(text, 3).join(' ');

export const cancelled = (host: string): Failure => ({
  kind: 'cancelled',
  host,
  message: `Stopped while working on ${host}.`,
});

export const connectionLost = (host: string, cause: string): Failure => ({
  kind: 'connection-lost',
  host,
  message: `The connection to ${host} was lost.`,
  cause: quotable(cause),
  remedy: `Check that ${host} is up and that the network between it and this machine works, then try again.`,
  transient: true,
});

/** An endpoint as an operator reads it: `10.0.0.11:22`, `[fd00::1]:22`. */
export const endpoint = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

type Explanation = Pick<Failure, 'message' | 'cause' | 'remedy' | 'transient'>;

const explanations: Record<string, (where: string, address: string) => Explanation> = {
  ECONNREFUSED: where => ({
    message: `Nothing answers at ${where}: the connection was refused.`,
    cause: 'No SSH server listens there, it listens on another port, or a firewall refuses.',
    remedy: 'Check the address and the port, and that sshd runs on the host.',
    transient: true,
  }),
  ENOTFOUND: (_, address) => ({
    message: `The name ${address} does not resolve to an address.`,
    cause: 'It is misspelt, or the resolver of this machine does not know it.',
    remedy: 'Check the name, or give the IP address.',
  }),
  EAI_AGAIN: (_, address) => ({
    message: `The name ${address} could not be looked up now.`,
    cause: 'No DNS server answered this machine.',
    remedy: 'Check the network and the resolver of this machine, or give the IP address.',
    transient: true,
  }),
  ETIMEDOUT: where => ({
    message: `No answer from ${where}.`,
    cause: 'The host is down, the address is wrong, or a firewall drops the packets.',
    remedy: 'Check the address, that the host is up, and that SSH is allowed from this machine.',
    transient: true,
  }),
  EHOSTUNREACH: where => ({
    message: `There is no way to ${where}: the host cannot be reached.`,
    cause: 'No machine has that address on the network, or the route to it is missing.',
    remedy: 'Check the address, that the host is up, and the routes (a VPN that is not connected, for one).',
    transient: true,
  }),
  ENETUNREACH: where => ({
    message: `There is no way to ${where}: this machine has no route to that network.`,
    cause: 'The network or a VPN is not connected.',
    remedy: 'Connect it, or reach the host through a jump host.',
    transient: true,
  }),
  ECONNRESET: where => ({
    message: `${where} closed the connection at once.`,
    cause: 'The SSH server is overloaded, blocks this machine (fail2ban, MaxStartups), or is no SSH server.',
    remedy: 'Wait a moment and try again; if it stays, look at the log of sshd on the host.',
    transient: true,
  }),
};

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return '';
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === 'string' && code) return code;
  // Several addresses of one name were tried: the first one's fault says most.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : '';
};

/** Why no TCP connection came about, from the error of the socket. */
export const unreachable = (host: string, address: string, port: number, error: unknown): Failure => {
  const where = endpoint(address, port);
  const explain = explanations[codeOf(error)];
  const text = error instanceof Error ? error.message : String(error);
  return {
    kind: 'unreachable',
    host,
    attempted: `connecting to ${where}`,
    ...(explain?.(where, address) ?? {
      message: `${where} cannot be reached.`,
      cause: text || 'The network gave no reason.',
      remedy: 'Check the address and the network.',
    }),
  };
};

/** The server closed the connection before the handshake, as sshd does while too many log in at once (MaxStartups). */
export const isTurnedAway = (error: unknown): boolean =>
  codeOf(error) === 'ECONNRESET' ||
  (error instanceof Error && /before handshake|No response from server/i.test(error.message));

/** Why the two sides did not come to an encrypted connection, from what ssh2 says. */
export const handshakeFailed = (host: string, address: string, port: number, error: unknown): Failure => {
  const where = endpoint(address, port);
  const text = quotable(error instanceof Error ? error.message : String(error));
  const common = {kind: 'unreachable', host, attempted: `opening an SSH connection to ${where}`} as const;
  const missing = /no matching (.+)$/.exec(text)?.[1];
  if (missing) {
    return {
      ...common,
      message: `${where} and Groundwork have no ${missing} in common.`,
      cause: 'The SSH server allows only algorithms that are newer or older than those known here.',
      remedy: `Allow one more ${missing} in /etc/ssh/sshd_config of the host (curve25519-sha256, ssh-ed25519 and aes256-gcm@openssh.com are known here).`,
    };
  }
  if (/timed out/i.test(text)) {
    return {
      ...common,
      kind: 'timeout',
      message: `${where} accepted the connection but did not finish the SSH handshake in time.`,
      cause: 'The host is overloaded, or what listens there is no SSH server.',
      remedy: 'Check the port and the load of the host, then try again.',
      transient: true,
    };
  }
  if (isTurnedAway(error)) {
    return {...common, ...(explanations.ECONNRESET?.(where, address) as Explanation)};
  }
  if (/Invalid identification|greeting lines|Invalid header|Header line/i.test(text)) {
    return {
      ...common,
      message: `What listens at ${where} does not speak SSH.`,
      cause: text,
      remedy: 'Check the port.',
    };
  }
  return {
    ...common,
    message: `The SSH connection to ${where} broke off.`,
    cause: text,
    remedy: 'Look at the log of sshd on the host.',
    transient: true,
  };
};
