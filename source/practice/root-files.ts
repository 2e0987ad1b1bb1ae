import {randomBytes, randomUUID} from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {kernelFiles, machineSettings, osRelease, type Place, type PracticeHostSpec, systemOf} from './hardware.ts';
import {internet} from './internet.ts';

/*
 * The folder of a practice host:
 *
 *     root/        its root file system, kept between starts; what it holds belongs to the host
 *     stand-ins/   the tools that take the place of what needs a machine, written anew at every start, read-only there
 *     boot/        what its kernel shows in /proc and /sys, written anew at every start
 *
 * Once a host has run, nothing on this side writes into its root or follows a path in it: a link that a script left
 * there would lead out of it.
 */

/** Read from this machine, as it needs them to run its programs. No accounts, no keys, no settings of services. */
const borrowed = [
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'alternatives',
  'ssl/openssl.cnf',
  'ssl/certs/ca-certificates.crt',
  'localtime',
  'terminfo',
  'bash.bashrc',
  'profile',
];

const rootFolders = [
  ...['usr/local/bin', 'usr/local/sbin', 'usr/local/lib/practice', 'usr/local/share/ca-certificates'],
  ...['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'home', 'srv', 'opt', 'mnt', 'media', 'boot'],
  ...[
    'var/lib/practice',
    'var/lib/dpkg',
    'var/lib/apt/lists',
    'var/cache/apt/archives',
    'var/log',
    'var/spool',
    'var/www',
  ],
];

const write = (path: string, content: string | Buffer, mode = 0o644): void => {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, content, {mode});
};

/** /bin and its like: a link into /usr as on this machine, or a folder to be filled by a mount. */
const systemFolders = (root: string): void => {
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const path = `/${name}`;
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), join(root, name));
    else mkdirSync(join(root, name));
  }
};

const etc = (root: string, fixtures: string, spec: PracticeHostSpec, place: Place): void => {
  const folder = join(root, 'etc');
  for (const name of borrowed) {
    const source = join('/etc', name);
    if (!existsSync(source)) continue;
    mkdirSync(dirname(join(folder, name)), {recursive: true});
    cpSync(source, join(folder, name), {recursive: true, verbatimSymlinks: true});
  }
  const system = systemOf(spec)?.id ?? '';
  for (const name of ['common', system]) cpSync(join(fixtures, 'etc', name), folder, {recursive: true});
  write(join(folder, 'hostname'), `${spec.name}\n`);
  write(
    join(folder, 'hosts'),
    `127.0.0.1 localhost\n127.0.1.1 ${spec.name}\n::1 localhost ip6-localhost ip6-loopback\n`,
  );
  write(join(folder, 'machine-id'), `${randomBytes(16).toString('hex')}\n`);
  write(join(folder, 'os-release'), osRelease(spec));
  write(join(folder, 'groundwork-practice'), `A practice host of Groundwork: ${place.address} exists nowhere.\n`);
  if (system === 'ubuntu') symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(folder, 'resolv.conf'));
  // Only these may be read by root alone; the accounts have no passwords.
  chmodSync(join(folder, 'shadow'), 0o600);
};

/** Gives everything below a folder that this program has just written to the host's root. Links are not followed. */
const giveTo = (path: string, owner: number): void => {
  lchownSync(path, owner, owner);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveTo(join(path, name), owner);
};

export type RootOptions = {
  readonly folder: string;
  readonly fixtures: string;
  readonly spec: PracticeHostSpec;
  readonly place: Place;
  /** The number that root of the host has on this machine; undefined: our own. */
  readonly owner: number | undefined;
  /** See PracticeOptions. */
  readonly pace: number;
};

/** Where a host's stand-in tools lie on this side; on the host, at /usr/local/lib/practice. */
export const toolsOf = (folder: string): string => join(folder, 'stand-ins/lib/practice');

const standIns = ({folder, fixtures, spec, place, pace}: RootOptions): string => {
  const target = join(folder, 'stand-ins');
  rmSync(target, {recursive: true, force: true});
  mkdirSync(join(target, 'lib'), {recursive: true});
  cpSync(join(fixtures, 'lib'), join(target, 'lib/practice'), {recursive: true, verbatimSymlinks: true});
  write(join(target, 'lib/practice/machine'), machineSettings(spec, place, pace));
  // Where the runtime of this program is mounted, see machine/start.sh.
  write(join(target, 'lib/practice/node'), '');
  for (const [path, content] of internet(process.arch === 'arm64' ? 'arm64' : 'amd64'))
    write(join(target, 'lib/practice/internet', path), content);
  for (const entry of readdirSync(target, {recursive: true, withFileTypes: true})) {
    const path = join(entry.parentPath, entry.name);
    // Links are left alone: some lead to where a file will be on the host, which on this machine is another one.
    if (entry.isFile()) chmodSync(path, readFileSync(path).subarray(0, 2).toString() === '#!' ? 0o755 : 0o644);
    else if (entry.isDirectory()) chmodSync(path, 0o755);
  }
  return target;
};

/** The number of the file system's device as /proc/self/mountinfo writes it, so that the host finds its disk by it. */
const deviceOf = (path: string): string => {
  const {dev} = statSync(path, {bigint: true});
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
};

const bootFiles = ({folder, spec, place}: RootOptions): string => {
  const target = join(folder, 'boot');
  rmSync(target, {recursive: true, force: true});
  for (const name of ['local', 'programs']) mkdirSync(join(target, name), {recursive: true});
  const files = kernelFiles(spec, place, randomUUID(), deviceOf(folder));
  for (const [name, content] of Object.entries(files)) write(join(target, name), content);
  return target;
};

/** Makes what is missing of a host's folder, and renews what belongs to this version of the program and this start. */
export const prepareRoot = (options: RootOptions): void => {
  const {folder, fixtures, spec, place, owner} = options;
  const give = (path: string) => owner !== undefined && giveTo(path, owner);
  const root = join(folder, 'root');
  if (!existsSync(root)) {
    // Under another name until it is whole, so that a cut leaves no half a root.
    const unfinished = join(folder, 'root.new');
    rmSync(unfinished, {recursive: true, force: true});
    for (const name of rootFolders) mkdirSync(join(unfinished, name), {recursive: true});
    chmodSync(join(unfinished, 'root'), 0o700);
    systemFolders(unfinished);
    etc(unfinished, fixtures, spec, place);
    give(unfinished);
    renameSync(unfinished, root);
  }
  give(standIns(options));
  give(bootFiles(options));
};
