import {mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeEach, describe, expect, it} from 'vitest';
import {certificates} from '../../source/commands/certificates.ts';
import {parseInvocation} from '../../source/commands/command.ts';
import {exit} from '../../source/commands/exit.ts';
import {openSite, type Site} from '../../source/commands/site.ts';
import {environment} from '../../source/deployment/schema.ts';
import {openVault} from '../../source/deployment/vault.ts';
import {openDepartment} from '../support/supplied.ts';
import {answered} from '../support/walk.ts';
import {madeUpWorld} from '../support/world.ts';

const department = openDepartment();
afterAll(department.workshop.remove);
const {workshop, root, issuing, issue} = department;

let home: string;

const site = (): Site => {
  const opened = openSite(madeUpWorld(home).world);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

const run = async (args: readonly string[], typed = '') => {
  const {world, out, err} = madeUpWorld(home, {typed});
  const invocation = parseInvocation(certificates, args);
  if (!invocation.ok) throw new Error(invocation.error);
  const status = await certificates.run(invocation.value, world);
  return {status, out: out(), err: err()};
};

const received = (files: Readonly<Record<string, string | Buffer>>): readonly string[] =>
  Object.entries(files).map(([name, content]) => {
    writeFileSync(join(home, name), content);
    return join(home, name);
  });

const secretsOf = async () => {
  const vault = await openVault(site().paths.deployment('sandbox').vault);
  if (!vault.ok) throw new Error(vault.error.message);
  return vault.value;
};

const tlsOf = () => site().store.get('sandbox')?.deployment.tls;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'certificates-'));
  const saved = answered();
  site().store.save({
    ...saved,
    deployment: {...saved.deployment, domain: 'p.example.org', environments: [environment.parse({name: 'qa'})]},
  });
});

afterEach(() => rmSync(home, {recursive: true, force: true}));

const chain = issuing.certificate + root.certificate;
const all = issue(['p.example.org', '*.p.example.org', '*.qa.p.example.org']);
const domainOnly = issue(['*.p.example.org']);

describe('groundwork certificates check', () => {
  it('needs no deployment, and says for each name whether it is covered', async () => {
    const files = received({'c.pem': all.certificate + chain, 'c.key': all.key});
    const {status, out} = await run([
      'check',
      ...files,
      '--domain',
      'iam.qa.p.example.org',
      '--domain',
      'P.Example.ORG',
    ]);
    expect(status).toBe(exit.done);
    expect(out).toContain('p.example.org: can be used');
    expect(out).toMatch(/covered {2}iam\.qa\.p\.example\.org {2}by \*\.qa\.p\.example\.org/);
    expect(out).toMatch(/covered {2}p\.example\.org/);
  });

  it('ends with 3 when a name is not covered or the chain is not whole', async () => {
    const [key] = received({'c.key': domainOnly.key});
    const whole = received({'c.pem': domainOnly.certificate + chain});
    expect(await run(['check', key as string, ...whole, '--domain', 'iam.qa.p.example.org'])).toMatchObject({
      status: exit.preflight,
      out: expect.stringMatching(/NOT {6}iam\.qa\.p\.example\.org/),
    });
    const alone = received({'c.pem': domainOnly.certificate});
    expect(await run(['check', key as string, ...alone])).toMatchObject({status: exit.preflight});
  });

  it('ends with 2 when a file is not there, is no certificate, or stays locked', async () => {
    expect(await run(['check', join(home, 'none')])).toMatchObject({
      status: exit.usage,
      err: expect.stringMatching(/there is no file/),
    });
    expect(await run(['check', ...received({'x.pem': 'hello'})])).toMatchObject({status: exit.usage});
    const locked = workshop.run(['pkcs8', '-topk8', '-in', 'k.pem', '-passout', 'pass:correct-horse'], {
      'k.pem': all.key,
    });
    const files = received({'c.pem': all.certificate + chain, 'c.key': locked});
    expect(await run(['check', ...files])).toMatchObject({
      status: exit.usage,
      err: expect.stringMatching(/is locked with a password/),
    });
    expect(await run(['check', ...files, '--password'], 'wrong\n')).toMatchObject({status: exit.usage});
    expect(await run(['check', ...files, '--password'], 'correct-horse\r\n')).toMatchObject({status: exit.done});
  });

  it('speaks JSON to scripts, without a key', async () => {
    const files = received({'c.pem': all.certificate + chain, 'c.key': all.key});
    const {out} = await run(['check', ...files, '--domain', 'p.example.org', '--output', 'jsonl']);
    const lines = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines[0]).toMatchObject({type: 'certificate', usable: true, root: 'Ministry Root', privateRoot: true});
    expect(lines.at(-1)).toEqual({type: 'name', name: 'p.example.org', covered: true});
    expect(out).not.toContain('PRIVATE KEY');
  });
});

describe('groundwork certificates import', () => {
  it('keeps chain and key in the vault, and the name in the deployment', async () => {
    const {status, out} = await run([
      'import',
      ...received({'c.pem': all.certificate + chain, 'c.key': all.key}),
      '-d',
      'sandbox',
    ]);
    expect(status).toBe(exit.done);
    expect(out).toContain('sandbox now uses supplied certificates');
    expect(tlsOf()).toEqual({mode: 'supplied', certificates: ['main'], warnDays: 30});
    expect((await secretsOf()).get('certificate.main')).toMatch(/BEGIN CERTIFICATE[\s\S]+BEGIN PRIVATE KEY/);
    expect(readFileSync(join(home, 'config.json'), 'utf8')).not.toContain('PRIVATE KEY');
    expect(await run(['list', '-d', 'sandbox'])).toMatchObject({
      status: exit.done,
      out: expect.stringContaining('main: can be used'),
    });
  });

  it('keeps nothing of what cannot be used', async () => {
    const expired = issue(['*.p.example.org'], -1);
    const refused = await run([
      'import',
      ...received({'c.pem': expired.certificate + chain, 'c.key': expired.key}),
      '-d',
      'sandbox',
    ]);
    expect(refused).toMatchObject({status: exit.preflight, out: expect.stringMatching(/expired on/)});
    expect((await secretsOf()).names()).toEqual([]);
    expect(tlsOf()).toMatchObject({mode: 'local-ca'});
  });

  it('takes several at once, and the successor of one by its names', async () => {
    const qa = issue(['*.qa.p.example.org']);
    const both = received({
      'a.pem': domainOnly.certificate,
      'a.key': domainOnly.key,
      'b.pem': qa.certificate,
      'b.key': qa.key,
      'ca.pem': chain,
    });
    expect((await run(['import', ...both, '-d', 'sandbox'])).status).toBe(exit.done);
    const names = (await secretsOf()).names().map(name => name.replace('certificate.', ''));
    expect(names).toHaveLength(2);
    expect(tlsOf()).toMatchObject({certificates: expect.arrayContaining(names)});
    const next = issue(['*.qa.p.example.org']);
    const {out} = await run([
      'import',
      ...received({'n.pem': next.certificate + chain, 'n.key': next.key}),
      '-d',
      'sandbox',
    ]);
    expect(out).toMatch(/Kept in the vault: /);
    const vault = await secretsOf();
    expect(vault.names()).toHaveLength(2);
    expect(vault.values().filter(value => value.includes(next.certificate.split('\n')[3] as string))).toHaveLength(1);
  });

  it('works with a vault that is sealed, and says so without its passphrase', async () => {
    const vault = await secretsOf();
    await vault.set('other', 'value');
    await vault.seal('correct horse battery');
    const refused = await run([
      'import',
      ...received({'c.pem': all.certificate + chain, 'c.key': all.key}),
      '-d',
      'sandbox',
    ]);
    expect(refused).toMatchObject({status: exit.usage, err: expect.stringMatching(/is sealed/)});
  });
});

describe('groundwork certificates request', () => {
  const sign = (csr: string): string =>
    workshop
      .writes(
        'signed.pem',
        [
          'x509',
          '-req',
          '-in',
          'r.csr',
          '-CA',
          'ca.pem',
          '-CAkey',
          'ca.key',
          '-CAcreateserial',
          '-days',
          '90',
          '-copy_extensions',
          'copyall',
        ],
        {
          'r.csr': csr,
          'ca.pem': issuing.certificate,
          'ca.key': issuing.key,
        },
      )
      .toString();

  const csrPath = () => join(site().paths.deployment('sandbox').folder, 'requests', 'main.csr');

  it.each([
    'ec',
    'rsa',
  ])('is one that openssl accepts (%s), and its certificate needs no key when it comes back', async kind => {
    const requested = await run(['request', '-d', 'sandbox', '--key', kind, '--subject', 'C=KE, O=Ministry of Labour']);
    expect(requested).toMatchObject({status: exit.done, out: expect.stringContaining(csrPath())});
    const csr = readFileSync(csrPath(), 'utf8');
    expect(csr).not.toContain('PRIVATE KEY');
    expect(statSync(csrPath()).mode & 0o777).toBe(0o600);
    const text = workshop.run(['req', '-noout', '-verify', '-text', '-in', 'r.csr'], {'r.csr': csr}).toString();
    expect(text).toContain('DNS:p.example.org, DNS:*.p.example.org, DNS:qa.p.example.org, DNS:*.qa.p.example.org');
    expect(text).toMatch(/O ?= ?Ministry of Labour/);
    expect(await run(['list', '-d', 'sandbox'])).toMatchObject({
      status: exit.preflight,
      out: expect.stringContaining('main: waiting for the CA'),
    });

    const answer = received({'answer.pem': sign(csr) + chain});
    expect(await run(['import', ...answer, '-d', 'sandbox'])).toMatchObject({status: exit.done});
    expect(await run(['list', '-d', 'sandbox'])).toMatchObject({
      status: exit.done,
      out: expect.not.stringContaining('waiting'),
    });
  });

  it('made again asks for more names with the same key, so that an answer to the first one fits, too', async () => {
    await run(['request', '-d', 'sandbox', '--domain', 'rancher.p.example.org']);
    const first = readFileSync(csrPath(), 'utf8');
    await run(['request', '-d', 'sandbox', '--each']);
    const second = readFileSync(csrPath(), 'utf8');
    expect(second).not.toBe(first);
    const keyOf = (csr: string) =>
      workshop.run(['req', '-noout', '-pubkey', '-in', 'r.csr'], {'r.csr': csr}).toString();
    expect(keyOf(second)).toBe(keyOf(first));
    expect(workshop.run(['req', '-noout', '-text', '-in', 'r.csr'], {'r.csr': second}).toString()).toContain(
      'DNS:keycloak.qa.p.example.org',
    );
    const answer = received({'answer.pem': sign(first) + chain});
    expect(await run(['import', ...answer, '-d', 'sandbox'])).toMatchObject({status: exit.done});
  });

  it('is no longer waited for when the CA sent a certificate for the same names with a key of its own', async () => {
    await run(['request', '-d', 'sandbox', '--domain', '*.p.example.org', '--domain', '*.qa.p.example.org']);
    const files = received({'c.pem': all.certificate + chain, 'c.key': all.key});
    const {out} = await run(['import', ...files, '-d', 'sandbox']);
    expect(out).toContain('Kept in the vault: main.');
    expect(tlsOf()).toMatchObject({certificates: ['main']});
    expect((await run(['list', '-d', 'sandbox'])).status).toBe(exit.done);
  });

  it('says what is wrong with what it was given', async () => {
    expect(await run(['request', '-d', 'sandbox', '--key', 'dsa'])).toMatchObject({status: exit.usage});
    expect(await run(['request', '-d', 'sandbox', '--domain', 'no_name'])).toMatchObject({status: exit.usage});
    expect(await run(['request', '-d', 'sandbox', '--subject', '=='])).toMatchObject({
      status: exit.usage,
      err: expect.stringMatching(/subject/),
    });
    expect(await run(['request', '-d', 'elsewhere'])).toMatchObject({status: exit.usage});
    expect(await run(['sign'])).toMatchObject({status: exit.usage});
  });
});
