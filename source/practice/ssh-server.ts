import {timingSafeEqual} from 'node:crypto';
import {once} from 'node:events';
import {type AddressInfo, createServer, type Server, type Socket} from 'node:net';
import ssh2 from 'ssh2';
import {signalNumber} from './isolation.ts';
import type {KeyPair, PublicKey} from './keys.ts';
import type {Machine} from './machine.ts';

export type SshServer = {readonly port: number; readonly close: () => Promise<void>};

export type SshServerOptions = {
  readonly machine: Machine;
  readonly hostKey: KeyPair;
  readonly clientKey: PublicKey;
  /** The port it had the last time; another one when that is taken. */
  readonly port: number | undefined;
  /** As a server of the host's own network would show it: `10.0.0.5 50322 10.0.0.11 22`. */
  readonly sshConnection: string;
};

type Terminal = {readonly columns: number; readonly rows: number; readonly name: string};

const user = 'root';

const isAllowed = (context: ssh2.AuthContext, {type, key}: PublicKey): boolean => {
  if (context.method !== 'publickey' || context.username !== user) return false;
  const allowed = Buffer.from(key, 'base64');
  const offered = context.key.data;
  if (offered.length !== allowed.length || !timingSafeEqual(offered, allowed)) return false;
  // Without a signature the client only asks whether this key would do.
  if (context.signature === undefined) return true;
  const parsed = ssh2.utils.parseKey(`${type} ${key}`);
  return !(parsed instanceof Error) && parsed.verify(context.blob ?? Buffer.alloc(0), context.signature) === true;
};

const environmentOf = (sshConnection: string, terminal: Terminal | undefined): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: user,
  LOGNAME: user,
  SHELL: '/bin/bash',
  LANG: 'C.UTF-8',
  SSH_CONNECTION: sshConnection,
  ...(terminal && {TERM: terminal.name}),
});

/** A shell with a terminal of the host's own. `script` makes one; its own bookkeeping goes nowhere. */
const shellArguments = ({columns, rows}: Terminal): readonly string[] => [
  'script',
  ...['--quiet', '--flush', '--return', '--command'],
  `stty columns ${columns} rows ${rows}; cd; exec bash -l`,
  '/dev/null',
];

const serveSession = (session: ssh2.Session, {machine, sshConnection}: SshServerOptions): void => {
  let terminal: Terminal | undefined;
  let signal: ((name: string) => void) | undefined;

  const start = (channel: ssh2.ServerChannel, argv: readonly string[]): void => {
    const child = machine.start(argv, environmentOf(sshConnection, terminal));
    signal = name => {
      const number = signalNumber(name);
      if (child.pid === undefined || number === undefined) return;
      try {
        process.kill(-child.pid, number);
      } catch {
        // It has ended already.
      }
    };
    // Either side may go first: what is then written to the other is lost, as with a real server.
    for (const stream of [channel, channel.stderr, child.stdin, child.stdout, child.stderr])
      stream.on('error', () => {});
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, {end: false});
    child.stderr.pipe(channel.stderr, {end: false});
    child.once('error', () => {
      channel.exit(127);
      channel.end();
    });
    child.once('close', (code, ended) => {
      if (code === null) channel.exit((ended ?? 'SIGKILL').replace(/^SIG/, ''), false, '');
      else channel.exit(code);
      channel.end();
    });
    channel.once('close', () => {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    });
  };

  session.on('pty', (accept, _reject, info) => {
    // node-ssh and OpenSSH both name their terminal; ssh2's types leave it out.
    const {term} = info as ssh2.PseudoTtyInfo & {readonly term?: string};
    terminal = {columns: info.cols || 80, rows: info.rows || 24, name: term || 'xterm'};
    accept?.();
  });
  session.on('window-change', accept => accept?.());
  session.on('signal', (accept, _reject, info) => {
    accept?.();
    signal?.(info.name);
  });
  session.on('exec', (accept, _reject, {command}) => start(accept(), ['bash', '-c', command]));
  session.on('shell', accept => start(accept(), terminal ? shellArguments(terminal) : ['bash', '-l']));
};

const listen = async (server: Server, wanted: number | undefined): Promise<number> => {
  const attempt = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  try {
    return await attempt(wanted ?? 0);
  } catch {
    return attempt(0);
  }
};

/** An SSH server on loopback whose commands run in a practice host. One user, one key, no forwarding. */
export const serveSsh = async (options: SshServerOptions): Promise<SshServer> => {
  const {hostKey, clientKey} = options;
  const sockets = new Set<Socket>();
  const protocol = new ssh2.Server({hostKeys: [hostKey.privateKey]}, client => {
    client.on('error', () => {});
    client.on('authentication', context => {
      if (isAllowed(context, clientKey)) context.accept();
      else context.reject(['publickey']);
    });
    client.on('session', accept => serveSession(accept(), options));
  });
  // Without a delay: small answers would otherwise wait 40 ms for the client's next word.
  const server = createServer({noDelay: true}, socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    protocol.injectSocket(socket);
  });
  const port = await listen(server, options.port);
  return {
    port,
    close: async () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
