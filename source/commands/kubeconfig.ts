import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {hasKubernetes, hostsPlaying, roles} from '../../steps/shared/deployment.ts';
import {ownFolder, writeDurably} from '../deployment/durable-file.ts';
import {connect} from '../hosts/connect.ts';
import {kubeconfigPath} from '../kubernetes/access.ts';
import {forOperator} from '../kubernetes/operator-access.ts';
import {sh} from '../shell/script.ts';
import type {Command} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {deploymentOptions, load} from './inputs.ts';
import {complain} from './report.ts';

/** Milliseconds for the login and one small file. */
const patience = 60_000;

export const kubeconfig: Command = {
  name: 'kubeconfig',
  summary: 'fetches what kubectl on this machine needs to reach the cluster',
  description: [
    'Reads the kubeconfig of the cluster on its first server and writes it beside the other files of the',
    'deployment, readable by you alone, with the private address of the server: it works inside the private',
    'subnet and over the VPN. It gives full rights over the cluster; keep it like a key.',
  ],
  words: [],
  options: deploymentOptions,
  examples: ['groundwork kubeconfig --deployment sandbox'],
  run: async (invocation, world) => {
    const loaded = await load(invocation, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const {site, deployment} = loaded.value;
    const [host] = hostsPlaying(deployment, roles.compute);
    if (!hasKubernetes(deployment) || !host) return complain(world, `${deployment.name} has no Kubernetes`, exit.usage);
    const connection = await connect(host, site.connectOptions(AbortSignal.timeout(patience)));
    if (!connection.ok) return complain(world, connection.error.message, exitOf(connection.error));
    try {
      const read = await connection.value.run(sh`cat ${kubeconfigPath}`, {timeoutMs: patience});
      if (!read.ok) return complain(world, read.error.message, exitOf(read.error));
      if (read.value.code !== 0)
        return complain(
          world,
          `there is no cluster on ${host.name} yet: install ${deployment.name} first`,
          exit.failed,
        );
      const content = forOperator(read.value.stdout, {name: deployment.name, address: host.privateAddress});
      if (!content.ok) return complain(world, content.error, exit.failed);
      const {folder} = site.paths.deployment(deployment.name);
      const path = join(folder, 'kubeconfig');
      try {
        ownFolder(folder);
        writeDurably(path, content.value, randomUUID());
      } catch (error) {
        return complain(world, error instanceof Error ? error.message : String(error), exit.failed);
      }
      world.stdout.write(`${path}\nkubectl --kubeconfig ${path} get nodes\n`);
      return exit.done;
    } finally {
      await connection.value.close();
    }
  },
};
