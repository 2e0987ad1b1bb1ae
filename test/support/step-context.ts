import {openg2p} from '../../source/blueprints/openg2p.ts';
import {type Deployment, kubernetes, deployment as schema} from '../../source/deployment/schema.ts';
import type {Step, StepContext} from '../../source/engine/step.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import type {Products} from '../../source/resources/resource.ts';
import {sampleFacts} from './facts.ts';

/** A sandbox whose every answer is given: one host at 10.0.0.11, one VPN with two peers. */
export const sampleDeployment = (overrides: Partial<Deployment> = {}): Deployment =>
  schema.parse({
    ...openg2p.defaults('demo', 'sandbox'),
    hosts: [
      {
        name: 'sandbox-1',
        address: '203.0.113.10',
        roles: ['base', 'proxy', 'compute', 'storage'],
        privateAddress: '10.0.0.11',
      },
    ],
    channels: [
      {
        name: 'admin',
        kind: 'private',
        subnet: '10.15.0.0/16',
        endpoint: '203.0.113.10',
        peers: [{name: 'laptop'}, {name: 'phone'}],
      },
    ],
    network: {privateSubnet: '10.0.0.0/24', adminSources: ['198.51.100.0/24']},
    ...overrides,
  });

/** The sample with everything that can be switched on: the cluster and the platform on the ground. */
export const wholeDeployment = (overrides: Partial<Deployment> = {}): Deployment => {
  const sample = sampleDeployment(overrides);
  return {...sample, components: {...sample.components, kubernetes: kubernetes.parse({})}};
};

/** The same where the site's own DNS answers for the platform's names. */
export const atSite = (deployment: Deployment): Deployment => ({
  ...deployment,
  components: {...deployment.components, dns: {...deployment.components.dns, server: 'site'}},
});
/** The smallest production: four machines, with the databases on one and backups on another. */
export const productionDeployment = (overrides: Partial<Deployment> = {}): Deployment => {
  const defaults = openg2p.defaults('demo', 'production-minimum');
  return schema.parse({
    ...defaults,
    hosts: ['proxy', 'compute', 'storage', 'backup'].map((role, index) => ({
      name: `${role}-1`,
      address: `10.0.0.${11 + index}`,
      roles: ['base', role],
      privateAddress: `10.0.0.${11 + index}`,
    })),
    channels: [
      {name: 'admin', kind: 'private', subnet: '10.15.0.0/16', endpoint: '203.0.113.10', peers: [{name: 'laptop'}]},
    ],
    network: {privateSubnet: '10.0.0.0/24', adminSources: ['198.51.100.0/24']},
    tls: {mode: 'local-ca'},
    components: {...defaults.components, kubernetes: {}},
    ...overrides,
  });
};

/** Secrets as a vault keeps them: made at the first question, the same ever after. A step that is off asks for none. */
export const memoryVault = async (
  step: Pick<Step, 'secrets' | 'enabled'>,
  deployment: Deployment,
  known: Map<string, string> = new Map(),
): Promise<Map<string, string>> => {
  const specs = step.enabled?.(deployment) === false ? [] : (step.secrets?.(deployment) ?? []);
  for (const {name, generate} of specs)
    if (!known.has(name)) known.set(name, generate ? await generate() : `given ${name}`);
  return known;
};

export type ContextParts = {
  readonly deployment?: Deployment;
  readonly facts?: Facts;
  readonly products?: Products;
  readonly vault?: Map<string, string>;
  readonly now?: Date;
};

/** What the engine gives to a step, for the deployment's first host. */
export const contextFor = async (step: Step, parts: ContextParts = {}): Promise<StepContext> => {
  const deployment = parts.deployment ?? sampleDeployment();
  const vault = await memoryVault(step, deployment, parts.vault);
  const [host] = deployment.hosts;
  if (!host) throw new Error('the deployment has no host');
  return {
    deployment,
    host,
    facts: parts.facts ?? sampleFacts(),
    products: parts.products ?? {},
    now: parts.now ?? new Date('2026-11-21T08:00:00Z'),
    secret: name => {
      const value = vault.get(name);
      if (value === undefined) throw new Error(`the step did not ask for the secret ${name}`);
      return value;
    },
  };
};
