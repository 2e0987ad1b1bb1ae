import {randomBytes} from 'node:crypto';
import {hostsPlaying, roles} from '../../steps/shared/deployment.ts';
import {counted} from '../components/text.ts';
import type {Deployment} from '../deployment/schema.ts';
import {cleanText} from '../engine/control-sequences.ts';
import {connect} from '../hosts/connect.ts';
import {type ClusterHealth, healthParts, type NamespaceHealth, parseHealth} from '../kubernetes/health.ts';
import {err, type Result} from '../result.ts';
import {frame, unframe} from '../shell/frame.ts';
import type {Site} from './site.ts';

/** Milliseconds for the whole look: a host that is away must not keep the rest of the answer back. */
const patience = 25_000;

/** Looks at the cluster of a deployment, on the first host that it runs on. Changes nothing and asks nobody. */
export const clusterHealth = async (site: Site, deployment: Deployment): Promise<Result<ClusterHealth, string>> => {
  const [host] = hostsPlaying(deployment, roles.compute);
  if (!host) return err('no host has the role compute');
  const signal = AbortSignal.timeout(patience);
  const connection = await connect(host, site.connectOptions(signal));
  if (!connection.ok) return err(connection.error.message);
  try {
    const marker = `gw${randomBytes(16).toString('hex')}`;
    const output = await connection.value.run(frame(marker, healthParts), {signal});
    return output.ok ? parseHealth(unframe(marker, cleanText(output.value.stdout))) : err(output.error.message);
  } finally {
    await connection.value.close();
  }
};

/** Pods that are named when something is wrong; the rest is counted. */
const named = 5;

const podsText = (all: readonly NamespaceHealth[]): string => {
  const pods = all.reduce((sum, each) => sum + each.pods, 0);
  const ready = all.reduce((sum, each) => sum + each.ready, 0);
  const troubled = all.flatMap(each => each.troubled);
  const shown = troubled.slice(0, named).map(({pod, status}) => `${pod} ${status}`);
  const more = troubled.length > named ? [`${troubled.length - named} more`] : [];
  return [`${ready} of ${counted(pods, 'pod')} ready`, ...shown, ...more].join('; ');
};

/** The health of a cluster in a few lines: nodes, releases, the platform, each environment. What is wrong is named. */
export const healthLines = (
  {environments}: Pick<Deployment, 'environments'>,
  {nodes, releases, namespaces}: ClusterHealth,
): readonly string[] => {
  const own = new Set(environments.map(({name}) => name));
  const wrong = releases.filter(({status}) => status !== 'deployed');
  return [
    `nodes: ${nodes.filter(({ready}) => ready).length} of ${nodes.length} ready (${nodes
      .map(({name, ready, version}) => `${name} ${version}${ready ? '' : ', NOT READY'}`)
      .join('; ')})`,
    `releases: ${releases.length - wrong.length} of ${releases.length} deployed${wrong
      .map(({name, namespace, status}) => `; ${name} in ${namespace} is ${status}`)
      .join('')}`,
    `platform: ${podsText(namespaces.filter(({name}) => !own.has(name)))}`,
    ...environments.map(({name}) => {
      const found = namespaces.find(each => each.name === name);
      return `environment ${name}: ${found ? podsText([found]) : 'is not there'}`;
    }),
  ];
};

/** Whether all of it is as it should be. */
export const isHealthy = ({nodes, releases, namespaces}: ClusterHealth): boolean =>
  nodes.length > 0 &&
  nodes.every(({ready}) => ready) &&
  releases.every(({status}) => status === 'deployed') &&
  namespaces.every(({pods, ready}) => pods === ready);
