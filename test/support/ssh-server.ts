import {spawn} from 'node:child_process';
import {type AddressInfo, createServer, type Server, type Socket} from 'node:net';
import ssh2, {type AuthContext, type Connection, type ServerChannel} from 'ssh2';
import {newKey} from '../../source/practice/keys.ts';

export type TestServerOptions = {
  /** Says yes or no to each thing that a client offers, or `asked` when it answers by itself. Default: yes to all. */
  readonly accept?: (offered: AuthContext) => boolean | 'asked';
  /** What the server says it allows after a refusal. */
  readonly methods?: readonly ('publickey' | 'password' | 'keyboard-interactive')[];
  /** The login shell that commands run in. Default: bash. */
  readonly shell?: string;
  /** What the login shell prints on both streams before it runs anything. */
  readonly noise?: string;
  /** Replaces the login shell: gets the command that the client sent. */
  readonly exec?: (command: string, channel: ServerChannel) => void;
  /** Sessions at a time; the next is refused as sshd does. */
  readonly maxSessions?: number;
  readonly hostKey?: string;
};

export type TestServer = {
  readonly port: number;
  /** The public host key in base64, and as it stands in known_hosts. */
  readonly key: string;
  readonly knownHosts: string;
  /** What clients offered, in order: `none`, `publickey <base64>`, `password`. */
  readonly offers: string[];
  readonly commands: string[];
  /** The most sessions that were open at the same time. */
  readonly busiest: () => number;
  readonly sockets: Set<Socket>;
  readonly close: () => Promise<void>;
};

export const newKeyPair = (comment = 'test') => {
  const {private: privateKey, public: publicKey} = newKey(comment);
  return {privateKey, publicKey, base64: publicKey.split(' ')[1] ?? ''};
};

/** Whether a client that offers a key has it. Before it is asked to sign there is nothing to check. */
const signatureHolds = (offered: AuthContext): boolean => {
  if (offered.method !== 'publickey' || !offered.signature || !offered.blob) return true;
  const key = ssh2.utils.parseKey(offered.key.data);
  return !(key instanceof Error) && key.verify(offered.blob, offered.signature, offered.hashAlgo) === true;
};

/** Runs a command as sshd would run it, without becoming another user. */
const runIn =
  (shell: string, noise: string) =>
  (command: string, channel: ServerChannel): void => {
    channel.write(noise);
    channel.stderr.write(noise);
    const child = spawn(shell, ['-c', command], {detached: true});
    channel.pipe(child.stdin);
    child.stdin.on('error', () => {});
    child.stdout.pipe(channel, {end: false});
    child.stderr.pipe(channel.stderr, {end: false});
    child.on('close', (code, signal) => {
      if (code === null) channel.exit(signal ?? 'KILL');
      else channel.exit(code);
      channel.end();
    });
  };

/** An SSH server on this machine that does as it is told, for what a real one does only with luck. */
export const startServer = async ({
  accept = () => true,
  methods = ['publickey', 'password'],
  shell = 'bash',
  noise = '',
  exec = runIn(shell, noise),
  maxSessions = 10,
  hostKey = newKeyPair().privateKey,
}: TestServerOptions = {}): Promise<TestServer> => {
  const parsed = ssh2.utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  const key = parsed.getPublicSSH().toString('base64');
  const [offers, commands, sockets] = [[] as string[], [] as string[], new Set<Socket>()];
  let sessions = 0;
  let busiest = 0;
  const onClient = (client: Connection): void => {
    client.on('error', () => {});
    client.on('authentication', context => {
      const detail = context.method === 'publickey' ? ` ${context.key.data.toString('base64')}` : '';
      offers.push(`${context.method}${detail}`);
      const verdict = context.method !== 'none' && signatureHolds(context) && accept(context);
      if (verdict === true) context.accept();
      if (verdict === false) context.reject([...methods]);
    });
    client.on('session', (open, refuse) => {
      if (sessions >= maxSessions) {
        refuse();
        return;
      }
      const session = open();
      sessions++;
      busiest = Math.max(busiest, sessions);
      session.on('close', () => sessions--);
      session.on('exec', (grant, _refuse, {command}) => {
        commands.push(command);
        exec(command, grant());
      });
    });
  };
  const ssh = new ssh2.Server({hostKeys: [hostKey]}, onClient);
  const server: Server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  return {
    port,
    key,
    knownHosts: `[127.0.0.1]:${port} ${parsed.type} ${key}\n`,
    offers,
    commands,
    busiest: () => busiest,
    sockets,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
