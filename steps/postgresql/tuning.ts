import type {Facts} from '../../source/hosts/facts.ts';

const mb = 1024 * 1024;

/** The most that the programs of OpenG2P open together: the setting of its own chart (openg2p-commons-base, `extendedConfiguration`). */
export const maxConnections = 500;

/** A number between two bounds. */
const within = (least: number, most: number, value: number): number => Math.min(most, Math.max(least, value));

/** Whether the disk below a path is known to have no moving parts. */
const onSolidState = ({mounts, disks}: Pick<Facts, 'mounts' | 'disks'>, path: string): boolean => {
  const below = (mount: string) => mount === '/' || path === mount || path.startsWith(`${mount}/`);
  const mount = mounts.filter(({path: mounted}) => below(mounted)).toSorted((a, b) => b.path.length - a.path.length)[0];
  const names = mount?.disks ?? [];
  return names.length > 0 && names.every(name => disks.find(disk => disk.name === name)?.rotational === false);
};

/**
 * Settings that follow from the machine, in megabytes where they are memory. The machine also serves NFS from the same
 * page cache, so no more is taken than PostgreSQL's own documentation begins with.
 *
 * - shared_buffers: a quarter of the memory (postgresql.org/docs, runtime-config-resource); beyond 8 GB the cache of the
 *   system does as well.
 * - effective_cache_size: half of the memory, the careful value of wiki.postgresql.org/wiki/Tuning_Your_PostgreSQL_Server.
 *   Reserves nothing.
 * - work_mem: for each sort of each connection, so what is left is divided by three for every connection allowed
 *   (pgtune.leopard.in.ua, for web applications); never below PostgreSQL's own 4 MB.
 * - maintenance_work_mem: a sixteenth, at most 2 GB (pgtune).
 * - random_page_cost, effective_io_concurrency: for disks without moving parts (the same documentation and pgtune).
 *   Virtual machines often do not say, and then PostgreSQL's own values stay.
 */
export const tuning = (facts: Pick<Facts, 'memoryBytes' | 'mounts' | 'disks'>, data: string): readonly string[] => {
  const memory = facts.memoryBytes / mb;
  const shared = Math.floor(within(128, 8192, memory / 4));
  const work = Math.floor(within(4, 64, (memory - shared) / (maxConnections * 3)));
  return [
    `shared_buffers = ${shared}MB`,
    `effective_cache_size = ${Math.floor(Math.max(shared, memory / 2))}MB`,
    `work_mem = ${work}MB`,
    `maintenance_work_mem = ${Math.floor(within(64, 2048, memory / 16))}MB`,
    ...(onSolidState(facts, data) ? ['random_page_cost = 1.1', 'effective_io_concurrency = 200'] : []),
  ];
};
