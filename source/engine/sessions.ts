import type {HostSpec} from '../deployment/schema.ts';
import type {Connection} from '../hosts/connection.ts';
import type {Result} from '../result.ts';
import type {Failure} from './failure.ts';

/** One open connection for each host, opened when it is first needed and again after it was lost. */
export type Sessions = {
  readonly to: (host: HostSpec) => Promise<Result<Connection, Failure>>;
  /** The connection is of no use any more: the next call of `to` opens another. */
  readonly lost: (host: HostSpec) => Promise<void>;
  readonly close: () => Promise<void>;
};

export const openSessions = (connect: (host: HostSpec) => Promise<Result<Connection, Failure>>): Sessions => {
  const open = new Map<string, Promise<Result<Connection, Failure>>>();
  const drop = async (name: string): Promise<void> => {
    const opened = await open.get(name);
    open.delete(name);
    if (opened?.ok) await opened.value.close();
  };
  return {
    to: async host => {
      const existing = open.get(host.name);
      if (existing) return existing;
      const opening = connect(host);
      open.set(host.name, opening);
      const opened = await opening;
      // A failed attempt is not kept: the next one may succeed.
      if (!opened.ok) open.delete(host.name);
      return opened;
    },
    lost: host => drop(host.name),
    close: async () => {
      await Promise.all([...open.keys()].map(drop));
    },
  };
};
