import {once} from 'node:events';
import {chmodSync, closeSync, openSync, rmSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import type {Machine} from './machine.ts';

/** A practice host as others find it. */
export type Neighbour = {
  /** In the network that practice hosts pretend to share. */
  readonly address: string;
  /** The folder of its stand-in tools, on this side. */
  readonly tools: string;
  readonly machine: Machine;
};

export type PracticeNetwork = {readonly close: () => Promise<void>};

/** What a host asks for: that a command runs on the host with an address. Its standard input follows, in base64. */
type Wanted = {readonly to: string; readonly command: readonly string[]; readonly input: string};

/** `status` is 255 when nobody has the address, as ssh has it when it does not get there. */
type Answer = {readonly status: number; readonly output: string; readonly said: string};

/** Programs of a practice host print a screen at most; who prints without end is cut off. */
const mostBytes = 4 * 1024 * 1024;

/** With listeners: to iterate over a socket ends both of its directions. */
const collect = (stream: NodeJS.ReadableStream): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= mostBytes) chunks.push(chunk);
    });
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
  });

const carryOut = async (
  {to, command, input}: Wanted,
  from: Neighbour,
  hosts: readonly Neighbour[],
): Promise<Answer> => {
  const target = hosts.find(({address}) => address === to);
  if (!target) return {status: 255, output: '', said: ''};
  const child = target.machine.start(command, {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    CALLER: from.address,
  });
  child.stdin.on('error', () => {});
  child.stdin.end(Buffer.from(input, 'base64'));
  const failed = new Promise<number>(resolve => child.once('error', () => resolve(127)));
  const ended = new Promise<number>(resolve => child.once('close', code => resolve(code ?? 137)));
  const [output, said, status] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    Promise.race([ended, failed]),
  ]);
  return {status, output: output.toString('base64'), said: said.toString('base64')};
};

const answer = async (socket: Socket, from: Neighbour, hosts: readonly Neighbour[]): Promise<void> => {
  socket.on('error', () => {});
  try {
    const wanted = JSON.parse((await collect(socket)).toString()) as Wanted;
    socket.end(JSON.stringify(await carryOut(wanted, from, hosts)));
  } catch {
    // The host that asked went away, or asked for nothing.
    socket.destroy();
  }
};

/** The name of the socket among a host's stand-in tools (fixtures/practice/lib/network.mjs). */
const socketName = 'network';

/**
 * The network between practice hosts. They have no packets: a stand-in asks through a socket that another practice host
 * runs a command, and this side starts it there. So the nginx of one host finds the cluster of another, and nothing
 * leaves the practice hosts.
 */
export const serveNetwork = async (hosts: readonly Neighbour[]): Promise<PracticeNetwork> => {
  const open = new Set<Socket>();
  const servers = await Promise.all(
    hosts.map(async host => {
      const server = createServer({allowHalfOpen: true}, socket => {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        void answer(socket, host, hosts);
      });
      // The path of a socket has room for 107 bytes, which the folder of a practice host may exceed.
      const folder = openSync(host.tools, 'r');
      rmSync(join(host.tools, socketName), {force: true});
      server.listen(`/proc/self/fd/${folder}/${socketName}`);
      await once(server, 'listening');
      // As root's practice host, its root is nobody out here.
      chmodSync(join(host.tools, socketName), 0o666);
      return {server, folder};
    }),
  );
  return {
    close: async () => {
      for (const socket of open) socket.destroy();
      await Promise.all(
        servers.map(async ({server, folder}) => {
          await new Promise(resolve => server.close(resolve));
          closeSync(folder);
        }),
      );
    },
  };
};
