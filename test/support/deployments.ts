import {readdirSync, readFileSync} from 'node:fs';
import type {z} from 'zod';
import type {Blueprint, Machine} from '../../source/blueprints/blueprint.ts';
import {type Deployment, deployment, type Environment, environment} from '../../source/deployment/schema.ts';

const folder = new URL('../../fixtures/deployments/', import.meta.url);

/** The text of a deployment file below fixtures/deployments. */
export const deploymentText = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** The files of a folder below fixtures/deployments, as paths that `deploymentText` takes. */
export const deploymentFiles = (kind: 'good' | 'bad'): string[] =>
  readdirSync(new URL(`${kind}/`, folder)).map(name => `${kind}/${name}`);

const size = {cpus: 1, memoryGb: 1, diskGb: 1};
const machine = (id: string, roles: readonly string[], min: number, max: number): Machine => ({
  id,
  title: `${id} machine`,
  count: {min, max},
  nominal: size,
  least: size,
  roles,
});

/** A product without steps: one topology on one machine, and one on several of different kinds. */
export const madeUpBlueprint: Blueprint = {
  id: 'openg2p',
  title: 'OpenG2P',
  purpose: '',
  topologies: [
    {
      id: 'sandbox',
      title: 'Sandbox',
      purpose: '',
      machines: [machine('sandbox', ['base', 'proxy', 'compute', 'storage'], 1, 1)],
      drawing: [],
    },
    {
      id: 'cluster',
      title: 'Cluster',
      purpose: '',
      machines: [
        machine('proxy', ['base', 'proxy'], 1, 2),
        machine('compute', ['base', 'compute'], 3, Number.POSITIVE_INFINITY),
      ],
      drawing: [],
    },
  ],
  roles: ['base', 'proxy', 'compute', 'storage'].map(id => ({id, title: id, purpose: ''})),
  steps: [],
  defaults: () => {
    throw new Error('this blueprint is for checks only');
  },
};

/** The same with the sandbox only, as it is offered at first. */
export const sandboxBlueprint: Blueprint = {...madeUpBlueprint, topologies: madeUpBlueprint.topologies.slice(0, 1)};

/** A finished deployment without problems or warnings, changed as a test wants it. */
export const finished = (change: (draft: ReturnType<typeof plainDeployment>) => void = () => undefined): Deployment => {
  const draft = plainDeployment();
  change(draft);
  return draft;
};

/** An environment with everything that is not given at its default. */
export const anEnvironment = (parts: z.input<typeof environment>): Environment => environment.parse(parts);

const plainDeployment = () =>
  structuredClone(
    deployment.parse({
      version: 1,
      name: 'pilot',
      blueprint: 'openg2p',
      topology: 'sandbox',
      hosts: [
        {
          name: 'sandbox-1',
          address: '10.0.0.11',
          roles: ['base', 'proxy', 'compute', 'storage'],
          privateAddress: '10.0.0.11',
        },
      ],
      domain: 'openg2p.test',
      tls: {mode: 'local-ca'},
      channels: [
        {
          name: 'admin',
          kind: 'private',
          subnet: '10.15.0.0/16',
          endpoint: 'vpn.example.org',
          peers: [{name: 'laptop'}],
        },
      ],
      network: {privateSubnet: '10.0.0.0/24', adminSources: ['10.0.0.0/8']},
      components: {dns: {}, nfs: {}, nginx: {}},
    }),
  );
