import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import {execa} from 'execa';
import type {Connection} from '../../source/hosts/connection.ts';
import {kubeconfigPath} from '../../source/kubernetes/access.ts';
import type {ChartRef} from '../../source/resources/helm-release.ts';
import {err, ok} from '../../source/result.ts';
import {projectRoot} from './terminal.ts';

const program = resolve(projectRoot, '../shared/kube/kube');
const programs = join(process.env.KUBE_CACHE ?? '/var/tmp/kube-cache', 'bin');

/** A real API server with its controllers, and what a host with kubectl and helm would be to it. */
export type Cluster = {
  /** The way a host is reached; its scripts find this cluster where RKE2's would be. */
  readonly connection: Connection;
  /** Runs a script with kubectl, helm and the cluster's kubeconfig, and gives what it printed. Throws when it fails. */
  readonly on: (script: string) => Promise<string>;
  /** A folder of its own, gone when the cluster is. */
  readonly folder: string;
  readonly down: () => Promise<void>;
};

const kube = async (args: readonly string[]): Promise<string> => {
  if (!existsSync(program))
    throw new Error(`these tests need a Kubernetes beside the checkout, and ${program} is not there`);
  if (process.getuid?.() !== 0) throw new Error('these tests need root: the cluster is made of namespaces');
  return (await execa(program, args, {stdin: 'ignore'})).stdout;
};

/**
 * A cluster of its own for a test file, named after it. The first one ever builds Kubernetes, which takes minutes.
 *
 * @param node also a node that runs pods
 */
export const clusterUp = async (name: string, {node = false} = {}): Promise<Cluster> => {
  const place = createHash('sha256').update(`${projectRoot} ${name}`).digest();
  const folder = `/var/tmp/groundwork-kube-${place.toString('hex', 0, 4)}`;
  const port = 20_000 + (place.readUInt16BE(4) % 10_000);
  if (existsSync(join(folder, 'kube-cluster'))) await kube(['down', '--dir', folder]);
  await kube(['up', '--dir', folder, '--port', String(port), ...(node ? ['--node'] : [])]);
  const kubeconfig = join(folder, 'kubeconfig');
  // Where things are on a real host, and where they are here. Only the text of a script is another one; the product
  // knows nothing of it.
  const places: readonly (readonly [string, string])[] = [
    [kubeconfigPath, kubeconfig],
    ['/usr/local/bin:/var/lib/rancher/rke2/bin', programs],
    ['/var/lib/groundwork', join(folder, 'groundwork')],
  ];
  const here = (text: string) => places.reduce((result, [there, place]) => result.replaceAll(there, place), text);
  const bash = (text: string, timeoutMs: number) =>
    execa('bash', ['-s'], {
      input: text,
      reject: false,
      timeout: timeoutMs,
      stripFinalNewline: false,
      env: {HOME: join(folder, 'home')},
    });
  return {
    folder,
    connection: {
      host: 'cluster',
      address: '127.0.0.1',
      user: 'root',
      run: async (script, {timeoutMs = 120_000, onOutput} = {}) => {
        const {exitCode, stdout, stderr} = await bash(here(script.text), timeoutMs);
        if (exitCode === undefined) return err({kind: 'timeout', message: 'the script did not end in time'});
        onOutput?.('stdout', stdout);
        onOutput?.('stderr', stderr);
        return ok({code: exitCode, stdout, stderr, truncated: false});
      },
      close: async () => {},
    },
    on: async script => {
      const {exitCode, stdout, stderr} = await bash(
        `export KUBECONFIG=${kubeconfig} PATH=${programs}:$PATH\nset -e\n${script}`,
        180_000,
      );
      if (exitCode !== 0) throw new Error(`${script}\n${stdout}\n${stderr}`);
      return stdout.trim();
    },
    down: async () => {
      await kube(['down', '--dir', folder]);
    },
  };
};

/** A chart made of its templates, packed as it would be downloaded. */
export const packChart = async (
  folder: string,
  name: string,
  version: string,
  templates: Readonly<Record<string, string>>,
  {values = '', charts = []}: {readonly values?: string; readonly charts?: readonly ChartRef[]} = {},
): Promise<ChartRef> => {
  const root = join(folder, 'charts', `${name}-${version}`);
  const put = async (path: string, text: string) => {
    const file = join(root, name, path);
    await mkdir(dirname(file), {recursive: true});
    await writeFile(file, text);
  };
  await rm(root, {recursive: true, force: true});
  await put('Chart.yaml', `apiVersion: v2\nname: ${name}\nversion: ${version}\n`);
  await put('values.yaml', values);
  for (const [path, text] of Object.entries(templates)) await put(join('templates', path), text);
  if (charts.length > 0) await mkdir(join(root, name, 'charts'), {recursive: true});
  for (const {path} of charts) await execa('cp', [path, join(root, name, 'charts')]);
  const path = join(folder, `${name}-${version}.tgz`);
  await execa('tar', ['-czf', path, '-C', root, name]);
  return {path, version};
};
