import type {Disk, Facts, Mount} from './facts.ts';
import {printable, type Section, wholeNumber} from './facts-sections.ts';

type Devices = {
  /** `8:1` → the names of the physical disks below that device. */
  readonly byNumber: ReadonlyMap<string, readonly string[]>;
  /** `sda1` → the same. */
  readonly byName: ReadonlyMap<string, readonly string[]>;
};

type Block = {
  readonly name: string;
  readonly number: string;
  readonly bytes: number;
  readonly rotational: boolean | undefined;
  readonly slaves: string[];
  readonly parts: {name: string; number: string}[];
};

/** The kernel counts the size of every disk in sectors of 512 bytes, whatever the disk's own are. */
const sector = 512;

const blocksOf = (section: Section): Block[] => {
  const blocks = new Map<string, Block>();
  for (const line of section.lines) {
    const [kind, name = '', one = '', two = '', three = ''] = line.split(' ');
    const baseName = one.split('/').at(-1) ?? '';
    if (kind === 'disk') {
      blocks.set(name, {
        name: printable(name),
        number: one,
        bytes: (wholeNumber(two) ?? 0) * sector,
        rotational: three === '1' ? true : three === '0' ? false : undefined,
        slaves: [],
        parts: [],
      });
    } else if (kind === 'slave') blocks.get(name)?.slaves.push(baseName);
    else if (kind === 'part') blocks.get(name)?.parts.push({name: baseName, number: two});
  }
  return [...blocks.values()];
};

/** LVM, RAID and encryption put devices on devices: what counts is what lies below them all. */
const devicesOf = (blocks: readonly Block[]): Devices => {
  const owner = new Map(blocks.flatMap(block => [block, ...block.parts].map(({name}) => [name, block] as const)));
  const physical = (block: Block, seen: ReadonlySet<Block>): readonly string[] => {
    if (seen.has(block)) return [];
    if (block.slaves.length === 0) return [block.name];
    const below = block.slaves.flatMap(name => {
      const next = owner.get(name);
      return next ? physical(next, new Set([...seen, block])) : [];
    });
    return [...new Set(below)];
  };
  const entries = blocks.flatMap(block =>
    [block, ...block.parts].map(({name, number}) => ({name, number, disks: physical(block, new Set())})),
  );
  return {
    byNumber: new Map(entries.map(({number, disks}) => [number, disks])),
    byName: new Map(entries.map(({name, disks}) => [name, disks])),
  };
};

/** Device mapper and RAID devices are not disks, and neither is an empty card reader. */
const isDisk = (block: Block): boolean =>
  block.bytes > 0 && block.slaves.length === 0 && !/^(dm-|md\d)/.test(block.name);

export const parseDisks = (section: Section): readonly Disk[] =>
  blocksOf(section)
    .filter(isDisk)
    .map(({name, bytes, rotational}) => ({name, bytes, rotational}));

/** `\040` and the like, as the kernel writes blanks in paths. */
const unescapePath = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** The disks below each mount point, from /proc/self/mountinfo: by device number, else by the name of the device. */
const disksByPath = (mountinfo: Section, devices: Devices): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, readonly string[]>();
  for (const line of mountinfo.lines) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , number = '', , path = ''] = before.split(' ');
    const source = after.split(' ')[1]?.split('/').at(-1) ?? '';
    found.set(unescapePath(path), devices.byNumber.get(number) ?? devices.byName.get(source) ?? []);
  }
  return found;
};

/** Where nothing of ours is ever put: the kernel's own, images of snaps, and the layers of containers. */
const uninteresting = /^\/(proc|sys|dev|run|snap|var\/lib\/(docker|containers|containerd|kubelet|lxcfs))(\/|$)/;

/** From `df --output=fstype,size,avail,itotal,iavail,target`. Of several mounts on one path the last hides the others. */
export const parseMounts = (section: Section, mountinfo: Section, diskSection: Section): readonly Mount[] => {
  const below = disksByPath(mountinfo, devicesOf(blocksOf(diskSection)));
  const mounts = new Map<string, Mount>();
  for (const line of section.lines.slice(1)) {
    const match = /^(\S+)\s+(\d+)\s+(\d+)\s+(\d+|-)\s+(\d+|-)\s+(\/.*)$/.exec(line);
    if (!match) continue;
    const [, type = '', size, available, inodes, freeInodes, path = ''] = match;
    const bytes = wholeNumber(size) ?? 0;
    if (bytes === 0 || type === 'squashfs' || uninteresting.test(path)) continue;
    const counted = (wholeNumber(inodes) ?? 0) > 0;
    mounts.delete(path);
    mounts.set(path, {
      path: printable(path),
      type: printable(type),
      bytes,
      freeBytes: wholeNumber(available) ?? 0,
      freeInodes: counted ? (wholeNumber(freeInodes) ?? 0) : Number.MAX_SAFE_INTEGER,
      disks: below.get(path) ?? [],
    });
  }
  return [...mounts.values()];
};

/** The largest disk that the system does not lie on. */
export const secondVolumeOf = ({disks, mounts}: Pick<Facts, 'disks' | 'mounts'>): Disk | undefined => {
  const own = mounts.find(({path}) => path === '/')?.disks ?? [];
  return own.length === 0
    ? undefined
    : disks.filter(({name}) => !own.includes(name)).toSorted((a, b) => b.bytes - a.bytes)[0];
};

/** The file system that a path lies on, or would lie on once it exists. */
export const mountOf = (mounts: readonly Mount[], path: string): Mount | undefined =>
  mounts
    .filter(mount => path === mount.path || path.startsWith(mount.path === '/' ? '/' : `${mount.path}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
