import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {describe, expect, it} from 'vitest';
import {type Deployment, type Environment, environment, publicAcknowledgement} from '../../source/deployment/schema.ts';
import {ok} from '../../source/result.ts';
import {environmentSteps} from '../../steps/environment/environment.ts';
import {dnsChecks} from '../../steps/site-dns/checks.ts';
import {acceptedAddresses, recordsOf} from '../../steps/site-dns/records.ts';
import {type Answer, judge, readResolution, resolutionScript} from '../../steps/site-dns/resolution.ts';
import {siteDns} from '../../steps/site-dns/site-dns.ts';
import {sampleFacts} from '../support/facts.ts';
import {atSite, contextFor, sampleDeployment, wholeDeployment} from '../support/step-context.ts';

const withPublic = (deployment: Deployment, address?: string): Deployment => ({
  ...deployment,
  channels: [
    ...deployment.channels,
    {name: 'web', kind: 'public', acknowledgement: publicAcknowledgement, ...(address !== undefined && {address})},
  ],
});

const qa = (more: Partial<Environment> = {}) => environment.parse({name: 'qa', ...more});

const told = (deployment: Deployment) =>
  recordsOf(deployment).map(({name, type, value, channel}) => `${name} ${type} ${value ?? '?'} ${channel}`);

describe('the records that the site has to make', () => {
  it('are none where our own server answers', () => {
    expect(recordsOf(wholeDeployment({environments: [qa()]}))).toEqual([]);
  });

  it('lead the platform’s names and each environment’s domain with all below it to the proxy’s private address', () => {
    expect(told(atSite(wholeDeployment({environments: [qa(), environment.parse({name: 'prod'})]})))).toEqual([
      'rancher.openg2p.test A 10.0.0.11 private',
      'grafana.openg2p.test A 10.0.0.11 private',
      'qa.openg2p.test A 10.0.0.11 private',
      '*.qa.openg2p.test A 10.0.0.11 private',
      'prod.openg2p.test A 10.0.0.11 private',
      '*.prod.openg2p.test A 10.0.0.11 private',
    ]);
  });

  it('name what no wildcard stands for, and nothing of what is switched off', () => {
    const deployment = wholeDeployment({environments: [qa({hostnames: {minio: 'files.openg2p.test'}})]});
    const {kubernetes} = deployment.components;
    if (!kubernetes) throw new Error('no platform');
    const bare = atSite({
      ...deployment,
      components: {
        ...deployment.components,
        kubernetes: {...kubernetes, monitoring: {...kubernetes.monitoring, enabled: false}},
      },
    });
    expect(told(bare)).toEqual([
      'rancher.openg2p.test A 10.0.0.11 private',
      'qa.openg2p.test A 10.0.0.11 private',
      '*.qa.openg2p.test A 10.0.0.11 private',
      'files.openg2p.test A 10.0.0.11 private',
    ]);
  });

  it('are all of the domain on the ground alone', () => {
    expect(told(atSite(sampleDeployment()))).toEqual([
      'openg2p.test A 10.0.0.11 private',
      '*.openg2p.test A 10.0.0.11 private',
    ]);
  });

  it('lead the public to the public address, and never to the names of operators', () => {
    const open = withPublic(wholeDeployment({environments: [qa()]}), '198.51.100.7');
    expect(told(open)).toEqual(['qa.openg2p.test A 198.51.100.7 public', '*.qa.openg2p.test A 198.51.100.7 public']);
    expect(told(atSite(open)).filter(line => line.endsWith('public'))).toEqual(told(open));
  });

  it('have no address while it is not known', () => {
    expect(told(atSite(wholeDeployment({hosts: []})))[0]).toBe('rancher.openg2p.test A ? private');
    expect(told(withPublic(wholeDeployment({environments: [qa()]})))[0]).toBe('qa.openg2p.test A ? public');
  });

  it('may be found at either address inside when they are public, at the private one only when they are not', () => {
    const open = atSite(withPublic(wholeDeployment({environments: [qa()]}), '198.51.100.7'));
    const accepted = (name: string) =>
      recordsOf(open)
        .filter(record => record.name === name)
        .map(record => acceptedAddresses(open, record))[0];
    expect(accepted('*.qa.openg2p.test')).toEqual(['10.0.0.11', '198.51.100.7']);
    expect(accepted('rancher.openg2p.test')).toEqual(['10.0.0.11']);
  });
});

/** The script's output on a host whose dig is this script. */
const askWith = async (dig: string, names: readonly string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-dig-'));
  try {
    writeFileSync(join(folder, 'dig'), `#!/bin/bash\n${dig}\n`, {mode: 0o755});
    const {stdout} = await execa('bash', ['-s'], {
      input: resolutionScript(names).text,
      env: {PATH: `${folder}:${process.env.PATH}`},
    });
    return {stdout, answers: readResolution(stdout)};
  } finally {
    rmSync(folder, {recursive: true});
  }
};

describe('asking a resolver', () => {
  it('asks for a random name below a wildcard, anew each time', async () => {
    const asked = async () => (await askWith('exit 9', ['rancher.a.test', '*.qa.a.test'])).stdout.match(/^== .*$/gm);
    const [first, second] = [await asked(), await asked()];
    expect(first?.[0]).toBe('== rancher.a.test');
    expect(first?.[1]).toMatch(/^== groundwork-\d+\.qa\.a\.test$/);
    expect(second?.[1]).not.toBe(first?.[1]);
  });

  it('tells what dig prints apart, in the order of the names', async () => {
    const {answers} = await askWith(
      `case "$*" in
*right*) printf ';; Got answer:\\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\\nright.test.\\t300\\tIN\\tA\\t10.0.0.11\\n' ;;
*alias*) sleep 0.3; printf ';; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\\nalias.test. 60 IN CNAME rp.test.\\nrp.test. 30 IN A 10.0.0.11\\nrp.test. 30 IN A 10.0.0.12\\n' ;;
*gone*) printf ';; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\\ntest. 900 IN SOA ns.test. root.test. 1 7200 3600 1209600 300\\n' ;;
*empty*) printf ';; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\\n' ;;
*closed*) printf ';; ->>HEADER<<- opcode: QUERY, status: REFUSED, id: 1\\n' ;;
*) printf ';; communications error to 10.0.0.53#53: timed out\\n;; no servers could be reached\\n'; exit 9 ;;
esac`,
      ['alias.test', 'right.test', 'gone.test', 'empty.test', 'closed.test', 'silent.test'],
    );
    expect(answers).toEqual([
      {kind: 'addresses', addresses: ['10.0.0.11', '10.0.0.12'], ttl: 30},
      {kind: 'addresses', addresses: ['10.0.0.11'], ttl: 300},
      {kind: 'absent', exists: false, remembered: 300},
      {kind: 'absent', exists: true},
      {kind: 'refused', status: 'REFUSED'},
      {kind: 'silent', said: 'no servers could be reached'},
    ]);
  });

  it('does with getent where there is no dig yet', () => {
    expect(readResolution('== a.test\ngetent 10.0.0.11\n== b.test\n')).toEqual([
      {kind: 'addresses', addresses: ['10.0.0.11']},
      {kind: 'unknown', said: 'the resolver gave no address'},
    ]);
  });

  it.each<[string, Answer, string]>([
    ['right', {kind: 'addresses', addresses: ['10.0.0.11'], ttl: 5}, 'ok 10.0.0.11'],
    [
      'wrong',
      {kind: 'addresses', addresses: ['10.0.0.99'], ttl: 3600},
      'err it leads to 10.0.0.99; a correction may stay unseen for 60 minutes (TTL)',
    ],
    [
      'right and wrong',
      {kind: 'addresses', addresses: ['10.0.0.11', '10.0.0.99']},
      'err it leads to 10.0.0.11, 10.0.0.99, of which 10.0.0.99 is wrong',
    ],
    [
      'missing',
      {kind: 'absent', exists: false, remembered: 300},
      'err the name does not exist (NXDOMAIN); that it is missing may be remembered for 5 minutes',
    ],
    ['of another type', {kind: 'absent', exists: true}, 'err the name exists, without an A record'],
    [
      'not told',
      {kind: 'silent', said: 'timed out'},
      'err nobody answered, which says nothing about the record: timed out',
    ],
  ])('%s', (_, answer, expected) => {
    const judged = judge(answer, ['10.0.0.11']);
    expect(judged.ok ? `ok ${judged.value}` : `err ${judged.error}`).toBe(expected);
  });
});

describe('the step of the records', () => {
  const deployment = atSite(wholeDeployment({environments: [qa()]}));

  it('is there only where the site’s own DNS answers and a cluster needs its names', () => {
    expect(siteDns.enabled?.(deployment)).toBe(true);
    expect(siteDns.enabled?.(wholeDeployment())).toBe(false);
    expect(siteDns.enabled?.(atSite(sampleDeployment()))).toBe(false);
  });

  it('waits for each record by its name, saying who has to enter what, and asks for all in one script', async () => {
    const awaits = siteDns.awaits?.(await contextFor(siteDns, {deployment})) ?? [];
    expect(awaits.map(({title, remedy}) => `${title} | ${remedy}`)).toEqual([
      'rancher.openg2p.test leads to 10.0.0.11 | Whoever keeps the zone enters: rancher.openg2p.test A 10.0.0.11',
      'grafana.openg2p.test leads to 10.0.0.11 | Whoever keeps the zone enters: grafana.openg2p.test A 10.0.0.11',
    ]);
    expect(new Set(awaits.map(({script}) => script.text)).size).toBe(1);
    const output = {code: 0, stderr: '', stdout: '== a\ngetent 10.0.0.11\n== b\ngetent 10.0.0.99\n'};
    expect(awaits.map(({check}) => check(output).ok)).toEqual([true, false]);
  });

  it('waits for nothing that the operator has accepted', async () => {
    const accepting = {...deployment, acceptedChecks: ['sandbox-1:dns-records']};
    expect(siteDns.awaits?.(await contextFor(siteDns, {deployment: accepting}))).toEqual([]);
  });

  it('keeps what needs no names from waiting: an environment waits before its services only', () => {
    const steps = environmentSteps(qa());
    const dns = steps.find(({id}) => id === 'environment-qa-dns');
    expect(steps.filter(({after}) => dns && after.includes(dns)).map(({id}) => id)).toEqual([
      'environment-qa-commons-base',
    ]);
  });
});

describe('preflight', () => {
  const deployment = atSite(wholeDeployment());
  const host = deployment.hosts[0] as Deployment['hosts'][number];
  const saying = (stdout: string) => async () =>
    ok({
      host: host.name,
      address: '',
      user: '',
      close: async () => {},
      run: async () => ok({code: 0, stdout, stderr: '', truncated: false}),
    });
  const here = async (): Promise<Answer> => ({kind: 'silent', said: 'timed out'});
  const checks = (facts = sampleFacts(), of = deployment, stdout = '== a\ngetent 10.0.0.11\n== b\ngetent 10.9.9.9\n') =>
    dnsChecks(of, [{host, facts}], saying(stdout), here, new AbortController().signal);

  it('warns of records that hosts, or this side, do not find, and stops nobody for it', async () => {
    const found = await checks();
    expect(found.map(({id, outcome, severity, found: what}) => `${id} ${outcome} ${severity} ${what}`)).toEqual([
      'dns-records failed warning grafana.openg2p.test: it leads to 10.9.9.9',
      'dns-records-here failed warning rancher.openg2p.test: nobody answered, which says nothing about the record: timed out; grafana.openg2p.test: nobody answered, which says nothing about the record: timed out',
    ]);
  });

  it('asks nothing without a site’s DNS, and nothing of practice hosts', async () => {
    expect(await checks(sampleFacts(), wholeDeployment())).toEqual([]);
    expect(await checks(sampleFacts({practice: true}))).toEqual([]);
  });

  it('says of a host that answered nothing that it was not asked', async () => {
    expect((await checks(sampleFacts(), deployment, ''))[0]?.found).toContain('rancher.openg2p.test: not asked');
  });
});
