import {randomBytes} from 'node:crypto';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {type DeploymentPaths, makeDeploymentFolders, makeFolders, pathsFor} from '../../source/deployment/paths.ts';
import {type Deployment, type HostSpec, deployment as schema} from '../../source/deployment/schema.ts';
import {openVault} from '../../source/deployment/vault.ts';
import {toYaml} from '../../source/deployment/yaml.ts';
import {inOrder} from '../../source/engine/graph.ts';
import {emptyCache, type LookCache} from '../../source/engine/look.ts';
import type {LookPorts} from '../../source/engine/ports.ts';
import {runDeployment} from '../../source/engine/run.ts';
import type {Step} from '../../source/engine/step.ts';
import {connect} from '../../source/hosts/connect.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import {addressAt, subnetOf} from '../../source/network/address.ts';
import {ok} from '../../source/result.ts';
import {pinPeerAddresses} from '../../steps/wireguard/addresses.ts';
import {type LabHost, labKey, labKnownHosts} from '../support/lab.ts';

/** Machines that all have the sandbox's ground, and this side's files about them, as the program itself lays them out. */
export type Ground = {
  readonly deployment: Deployment;
  readonly hosts: readonly LabHost[];
  /** GROUNDWORK_HOME of the program. */
  readonly home: string;
  /** The deployment, for `--deployment`. */
  readonly file: string;
  readonly paths: DeploymentPaths;
  readonly ports: LookPorts;
};

/**
 * The steps, for many sandboxes in one deployment. A deployment has one VPN server, and the proof that it runs with its
 * own key compares with the key of the one; here every host has one, so this proof is left out. It is no part of what
 * is measured.
 */
const stepsForMany = (): readonly Step[] => {
  const made = new Map<Step, Step>();
  for (const step of inOrder(openg2p.steps)) {
    made.set(step, {
      ...step,
      after: step.after.map(earlier => made.get(earlier) as Step),
      verify: context => step.verify(context).filter(({id}) => !id.endsWith('-listens')),
    });
  }
  return [...made.values()];
};

const deploymentOf = (hosts: readonly LabHost[]): Deployment => {
  const [first] = hosts;
  if (!first) throw new Error('there are no hosts');
  const subnet = subnetOf(first.address, 24);
  return pinPeerAddresses(
    schema.parse({
      ...openg2p.defaults('bench', 'sandbox'),
      hosts: hosts.map(({name, address}) => ({
        name,
        address,
        identityFile: labKey,
        roles: ['base', 'proxy', 'compute', 'storage'],
        privateAddress: address,
      })),
      channels: [
        {
          name: 'admin',
          kind: 'private',
          subnet: '10.15.0.0/16',
          endpoint: first.address,
          peers: [{name: 'laptop'}, {name: 'phone'}],
        },
      ],
      network: {privateSubnet: subnet, adminSources: [`${addressAt(subnet, 1)}/32`]},
    }),
  );
};

/** A connection of the product itself to a lab host. */
export const open = async (ground: Pick<Ground, 'home'>, host: HostSpec): Promise<Connection> => {
  const opened = await connect(host, {knownHostsFile: join(ground.home, 'known_hosts')});
  if (!opened.ok) throw new Error(`${host.name}: ${opened.error.message} ${opened.error.cause ?? ''}`);
  return opened.value;
};

/** Everything about the hosts on this side, in a folder of its own; nothing is done on them yet. */
export const describeGround = async (hosts: readonly LabHost[], folder: string): Promise<Ground> => {
  const home = join(folder, 'home');
  const site = pathsFor({GROUNDWORK_HOME: home}, home);
  const deployment = deploymentOf(hosts);
  const paths = site.deployment(deployment.name);
  makeFolders(site);
  makeDeploymentFolders(paths);
  writeFileSync(site.knownHosts, readFileSync(labKnownHosts));
  const file = join(folder, 'bench.yaml');
  writeFileSync(file, toYaml(deployment));
  const vault = await openVault(paths.vault, {});
  if (!vault.ok) throw new Error(vault.error.message);
  const cacheFile = join(paths.cache, 'look.json');
  return {
    deployment,
    hosts,
    home,
    file,
    paths,
    ports: {
      deployment,
      steps: stepsForMany(),
      connect: async host => ok(await open({home}, host)),
      facts: {script: factsScript, parse: parseFacts},
      ensureSecret: vault.value.ensure,
      cache: {
        read: (): LookCache => {
          try {
            return JSON.parse(readFileSync(cacheFile, 'utf8'));
          } catch {
            return emptyCache;
          }
        },
        write: cache => writeFileSync(cacheFile, JSON.stringify(cache)),
      },
      clock: {
        now: () => new Date(),
        sleep: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
      },
      marker: () => `gw${randomBytes(16).toString('hex')}`,
      signal: new AbortController().signal,
    },
  };
};

/** Lays the ground on all hosts side by side. Throws with the failures when it does not succeed. */
export const layGround = async ({ports, paths}: Ground): Promise<void> => {
  const ran = await runDeployment({
    ...ports,
    run: 'bench',
    resumed: false,
    practice: false,
    preflight: () => [],
    accepted: [],
    handOver: async ({path, content}) => {
      const place = join(paths.folder, path);
      mkdirSync(dirname(place), {recursive: true});
      writeFileSync(place, content, {mode: 0o600});
      return ok(place);
    },
    events: () => {},
    ask: async () => ({choice: 'stop', by: 'policy'}),
    control: {signal: ports.signal, whenRunning: async () => {}},
    redact: text => text,
    parallel: 8,
  });
  if (ran.outcome !== 'succeeded')
    throw new Error(ran.failures.map(({host, message, tail = []}) => [host, message, ...tail].join('\n')).join('\n\n'));
};
