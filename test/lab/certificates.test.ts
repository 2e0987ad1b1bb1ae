import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {
  buildProgram,
  groundwork,
  type Operator,
  operatorOf,
  type Ran,
  sandboxOn,
  small,
  vaultOf,
} from '../support/groundwork.ts';
import {type LabHost, labDown, labExec, labUp} from '../support/lab.ts';
import type {Made} from '../support/pki.ts';
import {openDepartment} from '../support/supplied.ts';

const department = openDepartment();
const domain = 'p.example.org';

let host: LabHost;
let operator: Operator;
let inbox: string;

beforeAll(async () => {
  await buildProgram();
  [host] = (await labUp(1, {prefix: 'certificates'})) as [LabHost];
  operator = operatorOf(host);
  inbox = mkdtempSync(join(tmpdir(), 'groundwork-inbox-'));
  describeDeployment(['main']);
});

afterAll(async () => {
  await labDown([host]);
  operator.remove();
  rmSync(inbox, {recursive: true, force: true});
  department.workshop.remove();
});

/** The ground of one machine, with supplied certificates of these names. */
const describeDeployment = (certificates: readonly string[]): void =>
  writeFileSync(
    operator.file,
    stringify({...sandboxOn(host), domain, tls: {mode: 'supplied', certificates}, environments: [{name: 'qa'}]}),
  );

/** Puts files where the operator has what the CA sent, and gives their paths. */
const received = (files: Readonly<Record<string, string | Buffer>>): readonly string[] =>
  Object.entries(files).map(([name, content]) => {
    writeFileSync(join(inbox, name), content);
    return join(inbox, name);
  });

const certificates = (...args: readonly string[]): Promise<Ran> =>
  groundwork(operator, ['certificates', ...args, '--deployment', operator.file]);

const install = (): Promise<Ran> =>
  groundwork(operator, ['install', '--yes', '--output', 'plain', '-d', operator.file, ...small]);

const retry = (): Promise<Ran> =>
  groundwork(operator, ['retry', 'certificates', '--yes', '--output', 'plain', '-d', operator.file, ...small]);

const on = async (script: string): Promise<string> => (await labExec(host, script)).stdout.trim();

/** What a client gets that knows the public root alone: the fingerprint of the certificate, or why it went away. */
const shown = async (name: string): Promise<string> => {
  const {stdout} = await labExec(
    host,
    `cat >/tmp/root.pem <<'END'
${department.root.certificate}END
openssl s_client -connect ${host.address}:443 -servername ${name} -verify_hostname ${name} -verify_return_error -CAfile /tmp/root.pem </dev/null >/tmp/shown 2>&1 || { grep -m1 -E 'error|alert' /tmp/shown; exit 0; }
openssl x509 -noout -fingerprint -sha256 </tmp/shown`,
  );
  return stdout.trim();
};

const fingerprint = ({certificate}: Made): string =>
  department.workshop
    .run(['x509', '-noout', '-fingerprint', '-sha256', '-in', 'f.pem'], {'f.pem': certificate})
    .toString()
    .trim();

/** In which life nginx is, and since when its workers are the present ones. */
const nginxLife = () => on('systemctl show --property=InvocationID --value nginx; pgrep -o nginx');

const first = department.issue([domain, `*.${domain}`, `qa.${domain}`, `*.qa.${domain}`]);
const second = department.issue([domain, `*.${domain}`, `qa.${domain}`, `*.qa.${domain}`]);

describe('certificates that a CA supplied', () => {
  it('are waited for before any host is touched', async () => {
    const planned = await groundwork(operator, ['plan', '-d', operator.file, '--output', 'plain']);
    expect(planned.code).toBe(3);
    expect(planned.stderr).toContain('The certificate "main" is not there yet');
    const checked = await groundwork(operator, ['preflight', '-d', operator.file, '--output', 'plain']);
    expect(checked.code).toBe(3);
    const installed = await install();
    expect(installed.code).toBe(3);
    expect(await on('ls /etc/groundwork 2>/dev/null; command -v nginx')).toBe('');
  });

  it('are refused when they are not whole, and nothing is kept', async () => {
    const files = received({'c.crt': first.certificate, 'c.key': first.key});
    const refused = await certificates('import', ...files);
    expect(refused.code).toBe(3);
    expect(refused.output).toContain('Ministry Issuing CA, which issued');
    expect(Object.keys(vaultOf(operator))).not.toContain('certificate.main');
  });

  it('are served by nginx once they are imported, to clients that know the root alone', async () => {
    const pfx = department.workshop.writes(
      'c.pfx',
      [
        'pkcs12',
        '-export',
        '-legacy',
        '-in',
        'c.pem',
        '-inkey',
        'k.pem',
        '-certfile',
        'ca.pem',
        '-passout',
        'pass:correct-horse',
      ],
      {
        'c.pem': first.certificate,
        'k.pem': first.key,
        'ca.pem': department.issuing.certificate + department.root.certificate,
      },
    );
    const imported = await groundwork(
      operator,
      ['certificates', 'import', ...received({'p.pfx': pfx}), '--password', '--deployment', operator.file],
      {input: 'correct-horse\n'},
    );
    expect(imported.code, imported.output).toBe(0);
    const installed = await install();
    expect(installed.code, installed.output).toBe(0);
    for (const name of [domain, `rancher.${domain}`, `iam.qa.${domain}`])
      expect(await shown(name), name).toBe(fingerprint(first));
    expect(await shown('elsewhere.example.org')).toMatch(/alert/);
    expect(await on('stat -c "%a %U" /etc/groundwork/tls/supplied.main.key')).toBe('600 root');
    expect(await on('openssl verify /etc/groundwork/tls/ca.crt')).toMatch(/OK/);
  }, 600_000);

  it('change nothing when they are the same', async () => {
    const planned = await groundwork(operator, ['plan', '--output', 'plain', '--exit-code', '-d', operator.file]);
    expect(planned.code, planned.output).toBe(0);
    const verified = await groundwork(operator, ['verify', '--output', 'plain', '-d', operator.file]);
    expect(verified.code, verified.output).toBe(0);
  });

  it('leave no key in the journal, the logs or the deployment', async () => {
    const secret = first.key.split('\n')[1] as string;
    const {stdout} = await execa('grep', ['-rlF', secret, operator.home], {reject: false});
    expect(stdout.split('\n').filter(path => path !== '')).toEqual([join(operator.home, 'state/lab/vault.json')]);
  });

  it('are replaced by their successors with one step, and nginx is reloaded, not restarted', async () => {
    const before = await nginxLife();
    const imported = await certificates(
      'import',
      ...received({
        'new.crt': second.certificate,
        'chain.pem': department.root.certificate + department.issuing.certificate,
        'new.key': second.key,
      }),
    );
    expect(imported.code, imported.output).toBe(0);
    expect(imported.stdout).toContain('Kept in the vault: main.');
    const retried = await retry();
    expect(retried.code, retried.output).toBe(0);
    expect(await shown(`rancher.${domain}`)).toBe(fingerprint(second));
    expect(await nginxLife()).toBe(before);
    const planned = await groundwork(operator, ['plan', '--output', 'plain', '--exit-code', '-d', operator.file]);
    expect(planned.code, planned.output).toBe(0);
  }, 300_000);

  it('come back for a request whose key never left the vault', async () => {
    const requested = await certificates('request', '--name', 'qa', '--domain', `*.qa.${domain}`);
    expect(requested.code, requested.output).toBe(0);
    const csr = join(operator.home, 'state/lab/requests/qa.csr');
    const {workshop, issuing} = department;
    const text = workshop.run(['req', '-in', csr, '-noout', '-verify', '-text']).toString();
    expect(text).toContain(`DNS:*.qa.${domain}`);
    const signed = workshop.writes(
      'qa.crt',
      [
        'x509',
        '-req',
        '-in',
        csr,
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
      {'ca.pem': issuing.certificate, 'ca.key': issuing.key},
    );
    describeDeployment(['qa', 'main']);
    const waiting = await groundwork(operator, ['plan', '--output', 'plain', '-d', operator.file]);
    expect(waiting.code).toBe(3);
    expect(waiting.stderr).toContain('"qa" is still with the CA');
    const imported = await certificates(
      'import',
      ...received({'qa.crt': signed, 'chain.pem': issuing.certificate + department.root.certificate}),
    );
    expect(imported.code, imported.output).toBe(0);
    expect(imported.stdout).toContain('Kept in the vault: qa.');
    const installed = await install();
    expect(installed.code, installed.output).toBe(0);
    expect(await shown(`iam.qa.${domain}`)).toBe(fingerprint({certificate: signed.toString(), key: ''}));
    expect(await shown(`rancher.${domain}`)).toBe(fingerprint(second));
    const verified = await groundwork(operator, ['verify', '--output', 'plain', '-d', operator.file]);
    expect(verified.code, verified.output).toBe(0);
  }, 300_000);

  it('are refused once an environment lies outside of them', async () => {
    const narrow = department.issue([`*.${domain}`]);
    const imported = await certificates(
      'import',
      ...received({
        'n.crt': narrow.certificate,
        'chain.pem': department.issuing.certificate + department.root.certificate,
        'n.key': narrow.key,
      }),
      '--name',
      'main',
    );
    expect(imported.code, imported.output).toBe(0);
    describeDeployment(['main']);
    const planned = await groundwork(operator, ['plan', '--output', 'plain', '-d', operator.file]);
    expect(planned.code).toBe(3);
    expect(planned.stderr).toMatch(/No certificate covers keycloak\.qa\.p\.example\.org/);
  });
});
