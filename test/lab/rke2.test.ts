import {randomBytes} from 'node:crypto';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type VersionSet, versionSetOf} from '../../source/blueprints/versions.ts';
import {type Deployment, kubernetes} from '../../source/deployment/schema.ts';
import type {Step} from '../../source/engine/step.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import {forOperator} from '../../source/kubernetes/operator-access.ts';
import {addressAt, subnetOf} from '../../source/network/address.ts';
import {frame, unframe} from '../../source/shell/frame.ts';
import {firewall} from '../../steps/firewall/firewall.ts';
import {hostBaseline} from '../../steps/host-baseline/host-baseline.ts';
import {kubernetesTools, rke2} from '../../steps/index.ts';
import {assess, converge, plan} from '../support/apply.ts';
import {cliConnection, type LabHost, lab, labDown, labExec, labUp} from '../support/lab.ts';
import {type Mirror, startMirror} from '../support/mirror.ts';
import {rke2Mirror} from '../support/rke2-archive.ts';
import {contextFor, sampleDeployment} from '../support/step-context.ts';

let server: LabHost;
let connection: Connection;
let mirror: Mirror;
let deployment: Deployment;

const versions = versionSetOf('default') as VersionSet;
const vault = new Map<string, string>();
const kubeconfig =
  'export KUBECONFIG=/etc/rancher/rke2/rke2.yaml PATH=/usr/local/bin:/var/lib/rancher/rke2/bin:$PATH\n';

const sample = (settings: object = {}): Deployment => {
  const subnet = subnetOf(server.address, 24);
  return sampleDeployment({
    hosts: [
      {
        name: 'cluster-1',
        reach: 'ssh',
        address: server.address,
        port: 22,
        user: 'ubuntu',
        roles: ['base', 'compute'],
        privateAddress: server.address,
      },
    ],
    channels: [],
    network: {
      privateSubnet: subnet,
      adminSources: [`${addressAt(subnet, 1)}/32`],
      pods: '10.42.0.0/16',
      services: '10.43.0.0/16',
    },
    components: {...sampleDeployment().components, kubernetes: kubernetes.parse(settings)},
    artifacts: {
      source: 'mirror',
      address: mirror.address.replace('0.0.0.0', String(addressAt(subnet, 1))),
      checksums: 'published',
    },
  });
};

const gather = async (): Promise<Facts> => {
  const ran = await connection.run(factsScript);
  if (!ran.ok) throw new Error(ran.error.message);
  const facts = parseFacts(ran.value.stdout);
  if (!facts.ok) throw new Error(JSON.stringify(facts.error));
  return facts.value;
};

const resourcesOf = async (step: Step, known = vault) =>
  step.resources(await contextFor(step, {deployment, facts: await gather(), vault: known}));

const lay = async (step: Step) => (await converge(connection, await resourcesOf(step))).rounds;

const complaints = async (step: Step): Promise<string[]> => {
  const checks = step.verify(await contextFor(step, {deployment, facts: await gather(), vault}));
  const marker = randomBytes(12).toString('hex');
  const ran = await connection.run(
    frame(
      marker,
      checks.map(({script}) => script),
    ),
  );
  if (!ran.ok) return [ran.error.message];
  const parts = unframe(marker, ran.value.stdout);
  return checks.flatMap(({id, check}, index) => {
    const part = parts.get(index);
    const result = part ? check(part) : {ok: false as const, error: 'no answer'};
    return result.ok ? [] : [`${id}: ${result.error}`];
  });
};

const run = async (script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(server, script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

const changesOf = async (step: Step): Promise<string[]> =>
  (await plan(connection, await resourcesOf(step))).flatMap(({id, changes}) =>
    changes.map(({summary}) => `${id}: ${summary}`),
  );

beforeAll(async () => {
  [server] = (await labUp(1, {prefix: 'rke'})) as [LabHost];
  connection = cliConnection(server);
  mirror = await startMirror('0.0.0.0');
  for (const [path, content] of await rke2Mirror(versions)) mirror.files.set(path, content);
  await lab(['allow', new URL(mirror.address).port]);
  deployment = sample();
});

afterAll(async () => {
  await mirror?.close();
  if (server) await labDown([server]);
});

describe('a cluster on a bare machine', () => {
  for (const step of [hostBaseline, firewall, kubernetesTools, rke2]) {
    it(`${step.id}: is laid, changes nothing the second time, and proves itself`, async () => {
      const [first, second] = await lay(step);
      expect(first?.length).toBeGreaterThan(0);
      expect(second).toEqual([]);
      expect(await complaints(step)).toEqual([]);
    });
  }

  it('answers with a certificate for the names that clients use, to those who know its authority', async () => {
    const [host] = deployment.hosts;
    const asked = (name: string) =>
      run(
        `${kubeconfig}kubectl --server=https://${name}:6443 ${/[a-z]/.test(name) ? `--tls-server-name=${name} --server=https://127.0.0.1:6443` : ''} get --raw /readyz`,
      );
    for (const name of [host?.privateAddress as string, 'cluster-1', 'rancher.openg2p.test'])
      expect(await asked(name)).toBe('ok');
  });

  it('is reached from elsewhere with the file that operators are given', async () => {
    const found = forOperator(await run('cat /etc/rancher/rke2/rke2.yaml'), {name: 'demo', address: server.address});
    if (!found.ok) throw new Error(found.error);
    await run(`umask 077; cat >/root/operator.yaml <<'END'\n${found.value}END`);
    const asked = '/var/lib/rancher/rke2/bin/kubectl --kubeconfig=/root/operator.yaml get nodes --output=name';
    expect(await run(asked)).toBe('node/cluster-1');
    await run('rm /root/operator.yaml');
  });

  it('keeps secrets encrypted in its state', async () => {
    await run(`${kubeconfig}kubectl create secret generic canary --from-literal=word=sings-in-the-clear`);
    expect(
      await run('grep -rc sings-in-the-clear /var/lib/rancher/rke2/server/db/etcd | grep -v :0 || echo none'),
    ).toBe('none');
    expect(await run(`${kubeconfig}kubectl get secret canary --output=jsonpath='{.data.word}' | base64 -d`)).toBe(
      'sings-in-the-clear',
    );
  });

  it('lets nobody but root read its token, its configuration and the way in', async () => {
    const modes = await run(
      'stat -L -c "%a %U" /etc/rancher/rke2/config.yaml /etc/rancher/rke2/rke2.yaml /var/lib/rancher/rke2/server/token',
    );
    expect(modes.split('\n')).toEqual(['600 root', '600 root', '600 root']);
    expect(await run('grep -c "token:" /etc/rancher/rke2/config.yaml')).toBe('1');
    const token = vault.get('rke2-token') as string;
    expect(await run(`grep -rlF ${token} /run /var/log /var/lib/groundwork /etc 2>/dev/null || :`)).toBe(
      '/etc/rancher/rke2/config.yaml',
    );
  });

  it('needs nothing from the mirror once it is there', async () => {
    const before = mirror.asked.length;
    expect(await changesOf(kubernetesTools)).toEqual([]);
    expect(await changesOf(rke2)).toEqual([]);
    expect(mirror.asked.length).toBe(before);
  });
});

describe('afterwards', () => {
  it('the cluster comes back by itself when the machine restarts, with its state', async () => {
    await lab(['stop', server.name]);
    await lab(['restart', server.name]);
    await expect.poll(() => complaints(rke2), {timeout: 90_000, interval: 2000}).toEqual([]);
    expect(await run(`${kubeconfig}kubectl get secret canary --output=name`)).toBe('secret/canary');
    expect(await changesOf(rke2)).toEqual([]);
  });

  it('a server that was stopped is started again, and that is all', async () => {
    await run('systemctl stop rke2-server');
    const [first, second] = await lay(rke2);
    // On a fast machine all is ready by the time when the server says that it is up.
    expect(first?.map(({id}) => id).filter(id => id !== 'RKE2 is ready')).toEqual(['service rke2-server.service']);
    expect(second).toEqual([]);
  });

  it('a changed setting restarts it, with the same token', async () => {
    const token = await run('cat /var/lib/rancher/rke2/server/token');
    deployment = sample({snapshots: {schedule: '0 3 * * *', keep: 30}});
    const [first, second] = await lay(rke2);
    expect(first?.map(({id}) => id)).toContain('file /etc/rancher/rke2/config.yaml');
    expect(second).toEqual([]);
    expect(await run('grep retention /etc/rancher/rke2/config.yaml')).toBe('etcd-snapshot-retention: 30');
    expect(await run('cat /var/lib/rancher/rke2/server/token')).toBe(token);
    expect(await complaints(rke2)).toEqual([]);
  });

  it('takes the CIS profile and a registry of the site, with what both want on the machine', async () => {
    deployment = sample({cis: true, registry: {address: 'https://registry.site.example:5000', user: 'puller'}});
    const [, second] = await lay(rke2);
    expect(second).toEqual([]);
    expect(await run('id -un etcd; sysctl -n vm.overcommit_memory kernel.panic | xargs')).toBe('etcd\n1 10');
    expect(await run('stat -c %a /etc/rancher/rke2/registries.yaml')).toBe('600');
    expect(await run('grep -c "password: given registry-password" /etc/rancher/rke2/registries.yaml')).toBe('1');
    expect(await complaints(rke2)).toEqual([]);
    deployment = sample();
    await lay(rke2);
    expect(await run('ls /etc/rancher/rke2/registries.yaml 2>/dev/null || echo gone')).toBe('gone');
  });

  it('another token does not touch the cluster', async () => {
    const other = new Map([['rke2-token', 'f'.repeat(64)]]);
    const config = await run('sha256sum /etc/rancher/rke2/config.yaml');
    await expect(assess(connection, await resourcesOf(rke2, other))).rejects.toThrow('made with another token');
    expect(await run('sha256sum /etc/rancher/rke2/config.yaml')).toBe(config);
  });

  it('a newer program on the disk is not replaced, and an older one is upgraded', async () => {
    const minor = Number(versions.rke2.split('.')[1]);
    const pretend = (version: string) =>
      run(
        `sed -i 's/^version=.*/version=${version}/' /usr/local/bin/rke2 && /usr/local/bin/rke2 --version | head -n 1`,
      );
    await pretend(`v1.${minor + 1}.0+rke2r1`);
    await expect(assess(connection, await resourcesOf(rke2))).rejects.toThrow('a cluster cannot go back');
    await pretend(`v1.${minor - 2}.0+rke2r1`);
    await expect(assess(connection, await resourcesOf(rke2))).rejects.toThrow('one at a time');
    await pretend(`v1.${minor - 1}.3+rke2r1`);
    await run('systemctl restart rke2-server');
    expect(await changesOf(rke2)).toContain(`rke2 program: RKE2 v1.${minor - 1}.3+rke2r1 → ${versions.rke2}`);
    const [, second] = await lay(rke2);
    expect(second).toEqual([]);
    expect(await run(`${kubeconfig}kubectl get nodes --no-headers | awk '{print $5}'`)).toBe(versions.rke2);
  });

  it('a server that cannot start says why, and a repaired one is taken up again', async () => {
    await run(
      'cp -p /usr/local/bin/rke2 /root/rke2 && sed -i "s/^check_configuration() {/&\\n  fatal \\"bind: 127.0.0.1:6443: address already in use\\"/" /usr/local/bin/rke2',
    );
    await run('systemctl stop rke2-server');
    const failed = await lay(rke2).catch(error => error);
    expect(String(failed)).toContain('rke2-server.service ends and is started again and again');
    expect(String(failed)).toContain('address already in use');
    const tail = failed.failure.tail.join('\n');
    expect(rke2.remedies?.find(({match}) => match.test(tail))?.id).toBe('rke2-port');
    await run('mv -f /root/rke2 /usr/local/bin/rke2');
    const [, second] = await lay(rke2);
    expect(second).toEqual([]);
  });

  it('can be taken away with its own script, and made anew', async () => {
    await run('/usr/local/bin/rke2-uninstall.sh');
    expect(
      await run('ls -d /var/lib/rancher/rke2 /etc/rancher/rke2 /usr/local/bin/rke2 2>/dev/null || echo gone'),
    ).toBe('gone');
    const before = mirror.asked.length;
    const [, second] = await lay(rke2);
    expect(second).toEqual([]);
    expect(await complaints(rke2)).toEqual([]);
    // From the store on the host: nothing was downloaded again.
    expect(mirror.asked.length).toBe(before);
  });
});
