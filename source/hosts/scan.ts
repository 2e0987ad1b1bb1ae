import {connect} from 'node:net';
import pLimit from 'p-limit';
import type {Address} from '../network/address.ts';

export type ScanOptions = {
  readonly port: number;
  /** Milliseconds that one address may take to answer: an address on a LAN answers in one or two. */
  readonly timeoutMs: number;
  /** Addresses tried at a time; each is one open socket. */
  readonly atOnce: number;
  readonly signal?: AbortSignal | undefined;
};

const answers = (address: Address, {port, timeoutMs, signal}: ScanOptions): Promise<boolean> =>
  new Promise(resolve => {
    if (signal?.aborted) {
      resolve(false);
      return;
    }
    const socket = connect({host: address, port});
    const finish = (open: boolean) => () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(open);
    };
    const onAbort = finish(false);
    const timer = setTimeout(finish(false), timeoutMs);
    socket.once('connect', finish(true));
    socket.on('error', finish(false));
    signal?.addEventListener('abort', onAbort, {once: true});
  });

/** Those of the addresses that accept a TCP connection, in their order. */
export const scan = async (addresses: readonly Address[], options: ScanOptions): Promise<Address[]> => {
  const limit = pLimit(options.atOnce);
  const open = await Promise.all(addresses.map(address => limit(answers, address, options)));
  return addresses.filter((_, index) => open[index]);
};
