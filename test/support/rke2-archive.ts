import {existsSync} from 'node:fs';
import {cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {execa} from 'execa';
import {type Artifact, fileNameOf} from '../../source/artifacts/artifact.ts';
import {catalogue} from '../../source/artifacts/catalogue.ts';
import {placeOf} from '../../source/artifacts/source.ts';
import type {VersionSet} from '../../source/blueprints/versions.ts';
import {sha256Of} from './mirror.ts';
import {projectRoot} from './terminal.ts';

const standIn = join(projectRoot, 'test/support/rke2-stand-in');

/** Where the program `kube` beside the checkout has built Kubernetes and etcd, once. */
const kubeCache = process.env.KUBE_CACHE ?? '/var/tmp/kube-cache';

const tar = async (folder: string, entries: readonly string[], gzip: boolean): Promise<Buffer> => {
  const packed = await execa(
    'tar',
    ['--create', '--dereference', '--owner=0', '--group=0', '--numeric-owner', `--directory=${folder}`, ...entries],
    {encoding: 'buffer', maxBuffer: 2 ** 30},
  );
  if (!gzip) return Buffer.from(packed.stdout);
  const {stdout} = await execa('gzip', ['--stdout', '-1'], {
    input: packed.stdout,
    encoding: 'buffer',
    maxBuffer: 2 ** 30,
  });
  return Buffer.from(stdout);
};

const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'groundwork-rke2-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
};

/** The release's archive in its own layout: bin/, lib/systemd/system/ and share/rke2/. */
const archive = (version: string): Promise<Buffer> =>
  inFolder(async folder => {
    await cp(standIn, folder, {recursive: true});
    const program = join(folder, 'bin/rke2');
    const text = await readFile(program, 'utf8');
    await writeFile(program, text.replaceAll('@VERSION@', version), {mode: 0o755});
    return tar(folder, ['bin', 'lib', 'share'], true);
  });

/**
 * What RKE2 takes its programs from: here a real etcd, a real Kubernetes 1.20 and a real helm. Not compressed in spite
 * of its name, because the hosts of the lab have no program for that.
 */
const images = (): Promise<Buffer> =>
  inFolder(async folder => {
    if (!existsSync(join(kubeCache, 'built')))
      await execa(resolve(projectRoot, '../shared/kube/kube'), ['build'], {stdio: 'inherit'});
    const programs = {
      etcd: 'root/usr/bin/etcd',
      ...Object.fromEntries(
        ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'helm'].map(name => [
          name,
          `bin/${name}`,
        ]),
      ),
    };
    await mkdir(join(folder, 'bin'));
    for (const [name, path] of Object.entries(programs))
      await symlink(join(kubeCache, path), join(folder, 'bin', name));
    return tar(folder, ['bin'], false);
  });

/** Says that it is the version of the matrix, and leaves everything else to the real one that came with the images. */
const wrapped = (name: string, said: string): string => `#!/bin/sh
case "$*" in ${said} ;; esac
exec /var/lib/rancher/rke2/bin/${name} "$@"
`;

const kubectl = (version: string): Buffer =>
  Buffer.from(
    wrapped(
      'kubectl',
      `'version --client'*) printf '{\\n  "clientVersion": {\\n    "gitVersion": "${version}"\\n  }\\n}\\n'; exit`,
    ),
  );

const helm = (version: string): Promise<Buffer> =>
  inFolder(async folder => {
    await mkdir(join(folder, 'linux-amd64'));
    await writeFile(
      join(folder, 'linux-amd64/helm'),
      wrapped('helm', `'version --template={{.Version}}') printf '%s' '${version}'; exit`),
      {mode: 0o755},
    );
    return tar(folder, ['linux-amd64'], true);
  });

/**
 * Everything that the tools' and RKE2's steps download, by its path on a mirror, with the files of checksums beside it.
 * For a deployment with `artifacts: {source: 'mirror', checksums: 'published'}`.
 */
export const rke2Mirror = async (versions: VersionSet): Promise<ReadonlyMap<string, Buffer>> => {
  const all = catalogue(versions, 'amd64');
  const contents: Readonly<Record<string, Buffer>> = {
    kubectl: kubectl(versions.kubectl),
    helm: await helm(versions.helm),
    'rke2-archive': await archive(versions.rke2),
    'rke2-images': await images(),
  };
  const files = new Map<string, Buffer>();
  for (const [id, content] of Object.entries(contents)) {
    const artifact = all.find(one => one.id === id) as Artifact;
    files.set(`/${placeOf(artifact.address)}`, content);
    if (artifact.checksumAddress === undefined) continue;
    const sums = `/${placeOf(artifact.checksumAddress)}`;
    const line = `${sha256Of(content)}  ${fileNameOf(artifact)}\n`;
    files.set(sums, Buffer.concat([files.get(sums) ?? Buffer.alloc(0), Buffer.from(line)]));
  }
  return files;
};
