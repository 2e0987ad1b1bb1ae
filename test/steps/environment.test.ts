import {describe, expect, it} from 'vitest';
import {artifactsOf} from '../../source/artifacts/for-step.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {deployment as schema} from '../../source/deployment/schema.ts';
import type {Step} from '../../source/engine/step.ts';
import type {ApplyPort} from '../../source/resources/resource.ts';
import {openg2pCharts} from '../../steps/environment/charts.ts';
import {environmentSteps} from '../../steps/environment/environment.ts';
import {environmentGateway} from '../../steps/environment/gateway.ts';
import {addressesOf, loginSheet} from '../../steps/environment/login-sheet.ts';
import {projectMembers} from '../../steps/environment/members.ts';
import {chartId, moduleCharts} from '../../steps/environment/names.ts';
import {environmentNamespace, rancherProject} from '../../steps/environment/namespace.ts';
import {passwordSecrets} from '../../steps/environment/passwords.ts';
import {environmentRemoval} from '../../steps/environment/removal.ts';
import {
  baseValues,
  bridgeValues,
  pbmsValues,
  registryValues,
  servicesValues,
  sparValues,
} from '../../steps/environment/values.ts';
import {anEnvironment} from '../support/deployments.ts';
import {atSite, contextFor, memoryVault, sampleDeployment} from '../support/step-context.ts';

const all = ['registry', 'spar', 'pbms', 'g2p-bridge'] as const;

const withCluster = (environments: readonly Environment[], kubernetes: object = {}): Deployment => {
  const plain = sampleDeployment();
  return schema.parse({...plain, components: {...plain.components, kubernetes}, environments});
};

/** The same with PostgreSQL on the storage host. */
const withDatabases = (environments: readonly Environment[], kubernetes: object = {}): Deployment => {
  const plain = withCluster(environments, kubernetes);
  return schema.parse({...plain, components: {...plain.components, postgresql: {}}});
};

const qa = anEnvironment({name: 'qa', modules: [...all]});

const stepNamed = (id: string, environment: Environment = qa): Step => {
  const found = environmentSteps(environment).find(step => step.id === id);
  if (!found) throw new Error(`no step ${id}`);
  return found;
};

describe('the steps of an environment', () => {
  const ids = (environment: Environment) => environmentSteps(environment).map(({id}) => id);

  it('carry its name, so that each is retried and skipped by itself', () => {
    expect(ids(anEnvironment({name: 'dev'}))).toEqual([
      'environment-dev-dns',
      'environment-dev-namespace',
      'environment-dev-gateway',
      'environment-dev-passwords',
      'environment-dev-databases',
      'environment-dev-database-access',
      'environment-dev-commons-base',
      'environment-dev-commons-services',
    ]);
    expect(ids(qa).slice(8)).toEqual([
      'environment-qa-registry',
      'environment-qa-spar',
      'environment-qa-pbms',
      'environment-qa-g2p-bridge',
    ]);
  });

  it('wait for what they work with, and modules for nobody else', () => {
    const own = (id: string) => stepNamed(id).after.map(step => step.id);
    const within = (id: string) => {
      const steps = environmentSteps(qa);
      const step = steps.find(each => each.id === id);
      return step?.after.filter(each => steps.includes(each)).map(each => each.id);
    };
    expect(own('environment-qa-gateway')).toContain('nginx');
    expect(own('environment-qa-commons-base')).toEqual(
      expect.arrayContaining(['environment-qa-passwords', 'openg2p-charts', 'storage-class']),
    );
    expect(within('environment-qa-registry')).toEqual(['environment-qa-commons-services']);
    expect(within('environment-qa-pbms')).toEqual(['environment-qa-commons-services', 'environment-qa-registry']);
    expect(within('environment-qa-g2p-bridge')).toEqual(['environment-qa-commons-services', 'environment-qa-spar']);
  });

  it('act on the cluster once, and only where there is one', () => {
    const steps = [...environmentSteps(qa), openg2pCharts, ...environmentRemoval(qa, {data: true})];
    const databases = (step: Step) => step.id.includes('database');
    for (const step of steps) {
      if (!databases(step)) expect(step).toMatchObject({role: 'compute', once: true});
      expect(step.enabled?.(sampleDeployment({environments: [qa]}))).toBe(false);
      expect(step.enabled?.(withCluster([qa]))).toBe(!databases(step) && !step.awaits);
      expect(step.enabled?.(step.awaits ? atSite(withDatabases([qa])) : withDatabases([qa]))).toBe(true);
    }
  });

  it('touch the storage host’s databases only for the environment that has them there', () => {
    const inside = anEnvironment({name: 'dev', database: 'in-cluster'});
    const deployment = withDatabases([qa, inside]);
    const there = (environment: Environment) =>
      [...environmentSteps(environment), ...environmentRemoval(environment, {data: true})]
        .filter(step => step.role === 'storage' && step.enabled?.(deployment) !== false)
        .map(({id}) => id);
    expect(there(qa)).toEqual(['environment-qa-databases', 'environment-qa-remove-databases']);
    expect(there(inside)).toEqual([]);
  });

  it('say what they are for, how to check them, and what to do when they fail', async () => {
    const vault = new Map<string, string>();
    for (const step of environmentSteps(qa)) {
      const deployment = step.awaits ? atSite(withDatabases([qa])) : withDatabases([qa]);
      const context = await contextFor(step, {deployment, vault});
      expect(step.why).toMatch(/^[A-Z].*\.$/);
      expect(step.verify(context).length).toBeGreaterThan(0);
      expect(step.remedies?.length).toBeGreaterThan(0);
      // What somebody else has to do is waited for, and changes nothing of ours.
      if (!step.awaits) expect(step.resources(context).length).toBeGreaterThan(0);
    }
  });

  it('do not meet those of another environment', async () => {
    const environments = [qa, anEnvironment({name: 'dev', modules: [...all]})];
    const deployment = withDatabases(environments);
    const vault = new Map<string, string>();
    const resources: string[] = [];
    for (const step of environments.flatMap(environmentSteps))
      resources.push(...step.resources(await contextFor(step, {deployment, vault})).map(({id}) => id));
    expect(new Set(resources).size).toBe(resources.length);
    const secrets = environments.map(each =>
      environmentSteps(each).flatMap(step => step.secrets?.(deployment).map(({name}) => name) ?? []),
    );
    expect(secrets[0]?.filter(name => secrets[1]?.includes(name))).toEqual([
      'certificate-authority.openg2p.test',
      // Of the one server, which the deployment's rules give to one environment only.
      'postgres-superuser',
    ]);
  });

  it('can be skipped where nothing else in the environment needs them to be there', () => {
    expect(
      environmentSteps(qa)
        .filter(step => step.skippable)
        .map(({id}) => id),
    ).toEqual(all.map(id => `environment-qa-${id}`));
  });
});

describe('the charts of OpenG2P', () => {
  it('are fetched once each, and only those that somebody wants', async () => {
    const deployment = withCluster([
      anEnvironment({name: 'a', modules: ['spar']}),
      anEnvironment({name: 'b', modules: ['spar']}),
    ]);
    const resources = openg2pCharts.resources(await contextFor(openg2pCharts, {deployment}));
    expect(resources).toHaveLength(3);
    expect(new Set(resources.map(({id}) => id)).size).toBe(3);
  });

  it('are released versions of the matrix', () => {
    const known = artifactsOf(withCluster([]), 'amd64');
    for (const chart of ['openg2p-commons-base', 'openg2p-commons-services', ...all.map(id => moduleCharts[id].chart)])
      expect(known.find(({id}) => id === chartId(chart))?.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('are not fetched where there is no environment', () => {
    expect(openg2pCharts.enabled?.(withCluster([]))).toBe(false);
  });
});

describe('the namespace', () => {
  it('belongs to a project where there is Rancher', () => {
    expect(environmentNamespace(withCluster([qa]), qa)).toMatchObject({
      metadata: {
        name: 'qa',
        labels: {
          'groundwork.openg2p.org/environment': 'qa',
          'istio-injection': 'disabled',
          'field.cattle.io/projectId': 'p-qa',
        },
        annotations: {'field.cattle.io/projectId': 'local:p-qa'},
      },
    });
    expect(rancherProject(qa)).toMatchObject({
      kind: 'Project',
      metadata: {name: 'p-qa', namespace: 'local'},
      spec: {clusterName: 'local', displayName: 'qa'},
    });
  });

  it('belongs to none without Rancher', async () => {
    const deployment = withCluster([qa], {rancher: {enabled: false}});
    const {metadata} = environmentNamespace(deployment, qa);
    expect(metadata.annotations).toBeUndefined();
    expect(metadata.labels).not.toHaveProperty('field.cattle.io/projectId');
    const step = stepNamed('environment-qa-namespace');
    expect(step.resources(await contextFor(step, {deployment})).map(({id}) => id)).toEqual([
      'manifest namespace qa',
      'authorities that pods of qa trust',
    ]);
  });

  it('takes pods that run as root also where the cluster is strict', () => {
    expect(environmentNamespace(withCluster([qa]), qa).metadata.labels).not.toHaveProperty(
      'pod-security.kubernetes.io/enforce',
    );
    expect(environmentNamespace(withCluster([qa], {cis: true}), qa).metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'baseline',
    });
  });
});

describe('members of the project', () => {
  const ana = {principal: 'local://u-ana', kind: 'user', role: 'member'} as const;
  const team = {principal: 'keycloak_group://field', kind: 'group', role: 'read-only'} as const;
  const resource = projectMembers({...qa, members: [ana, team]});
  const changes = (stdout: string, code = 0) => {
    const assessed = resource.assess({code, stdout, stderr: ''});
    if (!assessed.ok) throw new Error(assessed.error);
    return assessed.value;
  };
  const binding = (name: string, fields: object) => ({metadata: {name}, ...fields});

  it('are let in with the templates that hide Secrets', async () => {
    const {changes: told, apply} = changes('{"items":[]}');
    expect(told.map(({summary}) => summary)).toEqual([
      'let local://u-ana in as project-member-no-secrets',
      'let keycloak_group://field in as project-readonly-no-secrets',
    ]);
    const scripts: string[] = [];
    const run: ApplyPort['run'] = async ({text}) => {
      scripts.push(text);
      return {ok: true, value: {code: 0, stdout: '', stderr: '', truncated: false}};
    };
    await apply?.({run} as ApplyPort);
    expect(scripts.join()).toContain('"projectName":"local:p-qa"');
    expect(scripts.join()).toContain('"groupPrincipalName":"keycloak_group://field"');
    expect(scripts.join()).toContain('[ -n "$space" ] || space=p-qa');
  });

  it('are let in no more when the deployment does not name them any more', () => {
    const gone = binding('qa-old', {userPrincipalName: 'local://u-old', roleTemplateName: 'project-member-no-secrets'});
    expect(changes(JSON.stringify({items: [gone]})).changes.map(({summary}) => summary)).toContain(
      'let local://u-old in as project-member-no-secrets no more',
    );
  });

  it('say why they are not known', () => {
    expect(resource.assess({code: 1, stdout: '', stderr: 'forbidden'})).toMatchObject({ok: false});
    expect(resource.assess({code: 0, stdout: 'x', stderr: ''})).toMatchObject({ok: false});
  });
});

describe('the gateway', () => {
  it('lets the environment’s names through, on the port of the ingress gateway', () => {
    expect(environmentGateway(withCluster([qa]), qa)).toMatchObject({
      kind: 'Gateway',
      metadata: {name: 'internal', namespace: 'qa'},
      spec: {
        selector: {istio: 'ingressgateway'},
        servers: [{port: {number: 8080, protocol: 'HTTP'}, hosts: ['qa.openg2p.test', '*.qa.openg2p.test']}],
      },
    });
  });

  it('lets names of the deployment’s domain through where a service has one', () => {
    const named = anEnvironment({name: 'qa', hostnames: {registry: 'register.openg2p.test'}});
    expect(environmentGateway(withCluster([named]), named).spec).toMatchObject({
      servers: [{hosts: ['qa.openg2p.test', '*.qa.openg2p.test', '*.openg2p.test']}],
    });
    const within = anEnvironment({name: 'qa', hostnames: {odk: 'forms.qa.openg2p.test'}});
    expect(environmentGateway(withCluster([within]), within).spec).toMatchObject({
      servers: [{hosts: ['qa.openg2p.test', '*.qa.openg2p.test']}],
    });
  });
});

describe('values of the charts', () => {
  const secret = (name: string) => `value of ${name}`;
  const context = (environment: Environment = qa, components: object = {}) => {
    const deployment = withCluster([environment]);
    return {
      deployment: schema.parse({...deployment, components: {...deployment.components, ...components}}),
      environment,
      secret,
    };
  };

  it('name the domain, and Secrets in place of passwords', () => {
    expect(baseValues(context()).values).toMatchObject({
      global: {
        baseDomain: 'qa.openg2p.test',
        postgresqlHost: 'commons-postgresql',
        minioHostname: 'minio.qa.openg2p.test',
      },
      postgresql: {enabled: true, auth: {existingSecret: 'commons-postgresql'}},
      keycloak: {auth: {existingSecret: 'commons-keycloak', passwordSecretKey: 'admin-password'}},
      'redis-auth': {auth: {existingSecret: 'commons-redis-auth'}},
    });
  });

  it('write the first user out as a whole, because Helm would forget what is not said', () => {
    const {values, secretValues} = baseValues(context(anEnvironment({name: 'qa', adminEmail: 'ana@example.org'})));
    expect(values).toMatchObject({
      'keycloak-init': {
        staffAdminEmail: 'ana@example.org',
        realms: {
          staff: {
            users: [
              {
                username: 'admin',
                password: 'value of environment-qa-staff-admin',
                email: 'ana@example.org',
                firstName: 'Admin',
                lastName: 'User',
              },
            ],
          },
        },
      },
    });
    expect(secretValues).toEqual(['value of environment-qa-staff-admin']);
  });

  it('lead pods to Keycloak inside the cluster and browsers to its name', () => {
    expect(servicesValues(context()).values).toMatchObject({
      global: {
        keycloakInternalUrl: 'http://commons-keycloak:80',
        keycloakBaseUrl: 'https://keycloak.qa.openg2p.test',
        iamServiceUrl: 'http://commons-services-iam-staff-portal-api',
        staffPortalApiHostname: 'staff-iam.qa.openg2p.test',
        staffPortalCookieDomain: '.qa.openg2p.test',
      },
      'openg2p-iam-service': {global: {keycloakBaseUrl: 'https://keycloak.qa.openg2p.test'}},
    });
  });

  it('widen cookies where the staff portal lies outside the environment’s domain', () => {
    const outside = anEnvironment({name: 'qa', hostnames: {staffPortal: 'portal.openg2p.test'}});
    expect(servicesValues(context(outside)).values).toMatchObject({
      global: {staffPortalHostname: 'portal.openg2p.test', staffPortalCookieDomain: '.openg2p.test'},
    });
  });

  it('replace what everybody knows', () => {
    expect(servicesValues(context())).toMatchObject({
      values: {superset: {supersetSecretKey: 'value of environment-qa-superset-key'}},
      secretValues: ['value of environment-qa-superset-key'],
    });
    expect(registryValues(context()).values).toMatchObject({
      global: {aweApproverUserPassword: 'value of environment-qa-registry-approver'},
    });
    for (const {values} of [sparValues(context()), bridgeValues(context())])
      expect(values).toMatchObject({global: {testPartnerEnabled: false}});
  });

  it('make no name outside what DNS and certificates serve', () => {
    const values = [registryValues, sparValues, pbmsValues, bridgeValues, servicesValues, baseValues].map(
      each => each(context()).values,
    );
    const hosts = JSON.stringify(values).match(/[a-z0-9.-]+\.openg2p\.test/g) ?? [];
    expect(hosts.length).toBeGreaterThan(15);
    for (const host of hosts.map(each => each.replace(/^\./, '')))
      expect(host).toMatch(/^([a-z0-9-]+\.)?qa\.openg2p\.test$/);
    expect(JSON.stringify(values)).not.toContain('openg2p.org');
  });

  it('leave the server out where the databases are on the storage host, which is found under the same name', () => {
    const outside = context(qa, {postgresql: {}});
    expect(baseValues(outside).values).toMatchObject({
      global: {postgresqlHost: 'commons-postgresql', postgresqlSecret: 'commons-postgresql'},
      postgresql: {enabled: false},
    });
    expect(servicesValues(outside).values).toMatchObject({'odk-central': {backend: {envVars: {DB_SSL: 'true'}}}});
    expect(registryValues(outside).values).toMatchObject({global: {postgresqlHost: 'commons-postgresql'}});
    const inside = context(anEnvironment({name: 'qa', database: 'in-cluster'}), {postgresql: {}});
    expect(baseValues(inside).values).toMatchObject({postgresql: {enabled: true}});
    expect(servicesValues(inside).values).not.toHaveProperty('odk-central');
  });
});

describe('passwords', () => {
  it('are made for each environment, kept in the vault, and given as Secrets of the names that charts look for', async () => {
    const deployment = withCluster([qa]);
    const vault = new Map<string, string>();
    for (const step of environmentSteps(qa)) await memoryVault(step, deployment, vault);
    expect([...vault.keys()].filter(name => name.startsWith('environment-')).sort()).toEqual([
      'environment-qa-keycloak-admin',
      'environment-qa-postgres',
      'environment-qa-redis',
      'environment-qa-registry-approver',
      'environment-qa-staff-admin',
      'environment-qa-superset-key',
    ]);
    const secrets = passwordSecrets(deployment, qa, name => vault.get(name) ?? '');
    expect(secrets.map(({metadata}) => `${metadata.namespace}/${metadata.name}`)).toEqual([
      'qa/commons-postgresql',
      'qa/commons-keycloak',
      'qa/commons-redis-auth',
    ]);
    expect(secrets[0]?.data).toEqual({
      'postgres-password': Buffer.from(vault.get('environment-qa-postgres') ?? '').toString('base64'),
    });
  });

  it('are handed over once, with the addresses, in a file for the operator alone', () => {
    const deployment = withCluster([qa]);
    const sheet = loginSheet(deployment, qa, name => `<${name}>`);
    expect(sheet).toMatchObject({path: 'environments/qa.txt', secret: true});
    expect(sheet.content).toContain('admin / <environment-qa-staff-admin>');
    for (const {url} of addressesOf(deployment, qa)) expect(sheet.content).toContain(url);
    expect(addressesOf(deployment, anEnvironment({name: 'qa'})).map(({title}) => title)).not.toContain('PBMS');
  });
});

describe('taking an environment away', () => {
  const resourcesOf = async (purge: boolean, kubernetes: object = {}) => {
    const ids: string[] = [];
    for (const step of environmentRemoval(qa, {data: purge}))
      ids.push(
        ...step.resources(await contextFor(step, {deployment: withDatabases([qa], kubernetes)})).map(({id}) => id),
      );
    return ids;
  };

  it('removes releases before what they work with, then the ways in, then the namespace', async () => {
    const ids = await resourcesOf(false);
    const releases = ids.filter(id => id.startsWith('no release ')).map(id => id.replace('no release qa/', ''));
    expect(releases).toEqual(['g2p-bridge', 'pbms', 'spar', 'registry', 'commons-services', 'commons']);
    expect(ids.slice(-2)).toEqual(['namespace qa only for kept data', 'no databases of qa']);
    expect(environmentRemoval(qa, {data: false}).map(({after}) => after.length)).toEqual([0, 1, 1, 1]);
  });

  it('keeps the passwords of kept data, and erases volumes only when purged', async () => {
    const kept = await resourcesOf(false);
    expect(kept.slice(0, 3)).toEqual(['the cluster answers', 'volumes of qa stay', 'Secrets of qa put aside']);
    expect(kept).toContain('Secrets of qa put back');
    expect(kept).not.toContain('no volumes of qa');
    const purged = await resourcesOf(true);
    expect(purged.slice(0, 2)).toEqual(['the cluster answers', 'volumes of qa go with their claims']);
    expect(purged).not.toContain('Secrets of qa put back');
    expect(purged).toContain('no volumes of qa');
  });

  it('looks for a project only where there is Rancher', async () => {
    const projects = (ids: string[]) => ids.filter(id => id.includes('project'));
    expect(projects(await resourcesOf(false))).toHaveLength(1);
    expect(projects(await resourcesOf(false, {rancher: {enabled: false}}))).toHaveLength(0);
  });
});
