import {describe, expect, it} from 'vitest';
import {type Deployment, postgresql as postgresqlSettings} from '../../source/deployment/schema.ts';
import type {Step} from '../../source/engine/step.ts';
import {steps} from '../../steps/index.ts';
import {atSite, contextFor, memoryVault, sampleDeployment, wholeDeployment} from '../support/step-context.ts';

const ground = steps.filter(step => step.enabled?.(sampleDeployment()) !== false);
/** With the databases too, on the one host. */
const whole = ((): Deployment => {
  const deployment = wholeDeployment();
  return {...deployment, components: {...deployment.components, postgresql: postgresqlSettings.parse({})}};
})();
/** Of one machine: backups need another one, and have a test of their own. */
const onOne = steps.filter(step => step.enabled?.(whole) !== false);

describe('the steps', () => {
  it('come in an order in which each stands after what it waits for', () => {
    for (const [index, step] of steps.entries())
      for (const earlier of step.after) expect(steps.slice(0, index)).toContain(earlier);
  });

  it('of the ground let branches go side by side: only nginx waits for two', () => {
    expect(Object.fromEntries(ground.map(({id, after}) => [id, after.map(step => step.id)]))).toEqual({
      'host-baseline': [],
      firewall: ['host-baseline'],
      wireguard: ['firewall'],
      'local-dns': ['firewall'],
      certificates: ['host-baseline'],
      nginx: ['certificates', 'firewall'],
      'nfs-server': ['firewall'],
    });
  });

  it('open nothing to the network before the firewall stands', () => {
    const behind = (step: Step): boolean => step.after.some(earlier => earlier.id === 'firewall' || behind(earlier));
    for (const id of ['wireguard', 'local-dns', 'nginx', 'nfs-server'])
      expect(steps.filter(step => step.id === id).every(behind)).toBe(true);
  });

  it('say what they are for, how to check them, and what to do when they fail', async () => {
    const vault = new Map<string, string>();
    for (const step of onOne) {
      const context = await contextFor(step, {vault, deployment: step.awaits ? atSite(whole) : whole});
      expect(step.why).toMatch(/^[A-Z].*\.$/);
      expect(step.verify(context).length).toBeGreaterThan(0);
      expect(step.remedies?.length).toBeGreaterThan(0);
      expect(step.estimate).toBeGreaterThan(0);
    }
  });

  it('have a name of its own for each resource of a host', async () => {
    const vault = new Map<string, string>();
    const ids: string[] = [];
    for (const step of onOne)
      ids.push(...step.resources(await contextFor(step, {vault, deployment: whole})).map(({id}) => id));
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('of the ground can be left out only where something else can take their place', () => {
    expect(ground.filter(step => step.skippable).map(({id}) => id)).toEqual(['wireguard', 'local-dns', 'nfs-server']);
  });

  it('leave the VPN out where there is no private channel', () => {
    const without = sampleDeployment({channels: []});
    expect(ground.filter(step => step.enabled?.(without) === false).map(({id}) => id)).toEqual(['wireguard']);
  });
});

describe('secrets', () => {
  it('are made once and read back ever after', async () => {
    const vault = new Map<string, string>();
    for (const step of steps) await memoryVault(step, sampleDeployment(), vault);
    const first = new Map(vault);
    for (const step of steps) await memoryVault(step, sampleDeployment(), vault);
    expect(vault).toEqual(first);
    expect([...vault.keys()].sort()).toEqual([
      'certificate-authority.openg2p.test',
      'wireguard.admin.laptop.preshared-key',
      'wireguard.admin.laptop.private-key',
      'wireguard.admin.phone.preshared-key',
      'wireguard.admin.phone.private-key',
    ]);
  });

  it('of peers and of the authority never go to a host', async () => {
    const vault = new Map<string, string>();
    const texts: string[] = [];
    for (const step of onOne) {
      const context = await contextFor(step, {vault, deployment: whole});
      const resources = step.resources(context);
      texts.push(...step.verify(context).map(({script}) => script.text));
      for (const resource of resources) {
        texts.push(resource.probe.text);
        const assessed = resource.assess({code: 1, stdout: 'missing\n', stderr: ''});
        await (assessed.ok ? assessed.value.apply : undefined)?.({
          now: () => context.now,
          tell: () => {},
          send: async () => ({ok: true, value: undefined}),
          run: async script => {
            texts.push(script.text);
            return {ok: true, value: {code: 0, stdout: '', stderr: '', truncated: false}};
          },
        });
      }
    }
    const sent = texts.join('\n');
    // Files travel in base64: look for what they hold, too.
    const decoded = [...sent.matchAll(/[A-Za-z0-9+/]{40,}={0,2}/g)].map(([text]) =>
      Buffer.from(text, 'base64').toString(),
    );
    const all = [sent, ...decoded].join('\n');
    for (const [name, value] of vault) {
      const secret = name.startsWith('certificate-authority') ? (value.split('\n').at(-3) as string) : value;
      if (!name.endsWith('preshared-key')) expect(all.includes(secret), name).toBe(false);
    }
    expect(all).toContain(vault.get('wireguard.admin.laptop.preshared-key'));
  });
});

describe('what is handed over', () => {
  it('is each peer’s configuration, as a secret, once the server’s key is known', async () => {
    const wireguard = steps.find(({id}) => id === 'wireguard') as Step;
    const before = await contextFor(wireguard);
    expect(wireguard.handover?.(before)).toEqual([]);
    const key = `${'B'.repeat(43)}=`;
    const after = await contextFor(wireguard, {products: {'wireguard.admin.public-key': key}});
    const files = wireguard.handover?.(after) ?? [];
    expect(files.map(({path, secret}) => [path, secret])).toEqual([
      ['peers/laptop.conf', true],
      ['peers/phone.conf', true],
    ]);
    expect(files[0]?.content).toContain(`PublicKey = ${key}`);
  });

  it('is the CA’s certificate, without its key', async () => {
    const certificates = steps.find(({id}) => id === 'certificates') as Step;
    const [file] = certificates.handover?.(await contextFor(certificates)) ?? [];
    expect(file?.path).toBe('ca.crt');
    expect(file?.content).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(file?.content).not.toContain('PRIVATE KEY');
  });
});
