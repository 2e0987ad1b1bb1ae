import {afterAll, describe, expect, it} from 'vitest';
import {type Deployment, type Tls, tls as tlsSchema} from '../../source/deployment/schema.ts';
import {supportedSystems} from '../../source/hosts/os-data.ts';
import {rootsFrom} from '../../source/tls/roots.ts';
import {vouchersOf} from '../../steps/certificates/authority.ts';
import {certificates} from '../../steps/certificates/certificates.ts';
import {proxyCertificates} from '../../steps/certificates/proxy.ts';
import {certificateState, requestSecret} from '../../steps/certificates/supplied.ts';
import {nginxConfiguration, serversOf} from '../../steps/nginx/configuration.ts';
import {clientNames} from '../../steps/shared/client-names.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleFacts} from '../support/facts.ts';
import {contextFor, wholeDeployment} from '../support/step-context.ts';
import {openDepartment} from '../support/supplied.ts';

const department = openDepartment();
afterAll(department.workshop.remove);
const {issue, kept} = department;

const supplied = (...names: readonly string[]): Tls => tlsSchema.parse({mode: 'supplied', certificates: names});

const deploymentWith = (...names: readonly string[]): Deployment =>
  wholeDeployment({
    domain: 'p.example.org',
    tls: supplied(...names),
    environments: [anEnvironment({name: 'qa', modules: ['registry']})],
  });

const wildcards = issue(['p.example.org', '*.p.example.org', 'qa.p.example.org', '*.qa.p.example.org']);

const roots = rootsFrom([]);

const stateOf = (deployment: Deployment, vault: ReadonlyMap<string, string>, now = new Date()) =>
  certificateState(deployment, {get: name => vault.get(name), now, roots});

const serversWith = (deployment: Deployment, vault: ReadonlyMap<string, string>) =>
  serversOf(
    deployment,
    proxyCertificates(deployment, name => vault.get(name) ?? ''),
  ).map(({names, certificate}) => `${certificate.certificate.split('/').at(-1)}: ${names.join(' ')}`);

describe('supplied certificates, before any host is touched,', () => {
  it('are all right when wildcards cover the domain and each environment', () => {
    const state = stateOf(deploymentWith('main'), new Map([kept('main', wildcards)]));
    expect(state).toMatchObject({errors: [], warnings: [], uncovered: []});
  });

  it('are missing until they are imported, and waited for while a CA has the request', () => {
    const vault = new Map([[requestSecret('qa'), 'a request']]);
    const {errors} = stateOf(deploymentWith('main', 'qa'), vault);
    expect(errors).toEqual([
      'The certificate "main" is not there yet. Import it: groundwork certificates import --deployment demo FILES',
      'The certificate "qa" is still with the CA. When it has come back: groundwork certificates import --deployment demo FILES',
    ]);
  });

  it('leave an environment uncovered when the wildcard is a level too high, and the names are said', () => {
    const one = issue(['p.example.org', '*.p.example.org']);
    const {uncovered, errors} = stateOf(deploymentWith('main'), new Map([kept('main', one)]));
    expect(uncovered).toContain('keycloak.qa.p.example.org');
    expect(uncovered).not.toContain('rancher.p.example.org');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      /^No certificate covers keycloak\.qa\.p\.example\.org, .* each environment needs its own/,
    );
  });

  it('cover it together, side by side', () => {
    const vault = new Map([kept('main', issue(['*.p.example.org'])), kept('qa', issue(['*.qa.p.example.org']))]);
    const {errors, warnings} = stateOf(deploymentWith('main', 'qa'), vault);
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      'No certificate covers p.example.org itself. No service is found there, so nginx refuses it.',
    ]);
  });

  it('may name every service, where a CA gives no wildcards', () => {
    const deployment = deploymentWith('main');
    const vault = new Map([kept('main', issue(clientNames(deployment)))]);
    expect(stateOf(deployment, vault).errors).toEqual([]);
  });

  it('are refused once they have expired, and warned of before', () => {
    const vault = new Map([kept('main', wildcards)]);
    const inDays = (count: number) => new Date(Date.now() + count * 86_400_000);
    expect(stateOf(deploymentWith('main'), vault, inDays(70)).warnings[0]).toMatch(/expires in 19 days/);
    expect(stateOf(deploymentWith('main'), vault, inDays(91)).errors[0]).toMatch(/"main": p\.example\.org expired on/);
  });

  it('are said to be damaged when the vault holds something else', () => {
    expect(stateOf(deploymentWith('main'), new Map([['certificate.main', 'rubbish']])).errors[0]).toMatch(
      /import it again/,
    );
  });
});

describe('nginx', () => {
  it('serves each site with the certificate that covers its names', () => {
    const vault = new Map([
      kept('main', issue(['p.example.org', '*.p.example.org'])),
      kept('qa', issue(['qa.p.example.org', '*.qa.p.example.org'])),
    ]);
    expect(serversWith(deploymentWith('main', 'qa'), vault)).toEqual([
      'supplied.main.crt: rancher.p.example.org',
      'supplied.main.crt: p.example.org *.p.example.org',
      'supplied.main.crt: qa.p.example.org',
      'supplied.qa.crt: *.qa.p.example.org',
    ]);
  });

  it('serves names one by one where no certificate has the wildcard, and nothing else', () => {
    const vault = new Map([
      kept('rancher', issue(['rancher.p.example.org'])),
      kept('rest', issue(['grafana.p.example.org', '*.qa.p.example.org'])),
    ]);
    const deployment = deploymentWith('rancher', 'rest');
    expect(serversWith(deployment, vault)).toEqual([
      'supplied.rancher.crt: rancher.p.example.org',
      'supplied.rest.crt: grafana.p.example.org',
      'supplied.rest.crt: *.qa.p.example.org',
    ]);
    const [system] = supportedSystems;
    const text = nginxConfiguration(
      deployment,
      {roles: ['base', 'proxy'], privateAddress: '10.0.0.11'},
      sampleFacts(),
      system as NonNullable<typeof system>,
      proxyCertificates(deployment, name => vault.get(name) ?? ''),
    );
    expect(text).toContain('server_name rancher.p.example.org grafana.p.example.org *.qa.p.example.org;');
    expect(text).toContain('ssl_certificate_key /etc/groundwork/tls/supplied.rancher.key;');
    expect(text).not.toContain('server_name p.example.org');
  });
});

describe('the step of certificates', () => {
  const deployment = deploymentWith('main');
  const context = () => contextFor(certificates, {deployment, vault: new Map([kept('main', wildcards)])});

  it('writes chain and key, and shows the key to nobody', async () => {
    const resources = certificates.resources(await context());
    expect(resources.map(({id}) => id)).toContain('file /etc/groundwork/tls/supplied.main.crt');
    const key = resources.find(({id}) => id === 'file /etc/groundwork/tls/supplied.main.key');
    const assessed = key?.assess({code: 0, stdout: 'missing\n', stderr: ''});
    const told = JSON.stringify(assessed);
    expect(assessed?.ok).toBe(true);
    for (const line of wildcards.key.split('\n').filter(each => each.length > 20 && !each.startsWith('---')))
      expect(told).not.toContain(line);
    expect(resources.at(-1)?.id).toBe('reload of nginx.service');
  });

  it('makes hosts trust a private root, and knows who vouches', async () => {
    const {secret} = await context();
    expect(vouchersOf(deployment, secret)).toEqual({
      all: [department.root.certificate],
      private: [department.root.certificate],
    });
    const ids = certificates.resources(await context()).map(({id}) => id);
    expect(ids).toContain('file /usr/local/share/ca-certificates/groundwork-demo.crt');
  });

  it('hands over the root and what the proxy sends, and no key', async () => {
    const files = certificates.handover?.(await context()) ?? [];
    expect(files.map(({path}) => path)).toEqual(['ca.crt', 'certificates/main.pem']);
    expect(files.map(({content}) => content).join('')).not.toContain('PRIVATE KEY');
  });
});
