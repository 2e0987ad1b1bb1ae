import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, expect, onTestFinished, test} from 'vitest';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {openStore} from '../../source/deployment/conf-store.ts';
import {kubernetes, tls} from '../../source/deployment/schema.ts';
import {operatorAt} from '../support/operator.ts';
import {newHome, program} from '../support/program.ts';
import {openDepartment} from '../support/supplied.ts';
import {key, openTerminal} from '../support/terminal.ts';

const department = openDepartment();
afterAll(department.workshop.remove);
const {workshop, root, issuing, issue} = department;

/** A deployment whose operator has come as far as its domain. */
const begin = (home: string): void => {
  const store = openStore({directory: home, now: () => new Date()});
  if (!store.ok) throw new Error(store.error);
  const defaults = openg2p.defaults('site', 'sandbox');
  const components = {...defaults.components, kubernetes: kubernetes.parse({})};
  store.value.save({
    deployment: {...defaults, domain: 'p.example.org', tls: tls.parse({mode: 'supplied'}), components},
    updatedAt: new Date().toISOString(),
    route: 'domain',
    practice: false,
  });
};

test('certificates are asked for, chosen, judged and kept in a real terminal', {timeout: 240_000}, async () => {
  const home = newHome();
  begin(home);
  const inbox = join(home, 'inbox');
  mkdirSync(inbox);
  const made = issue(['p.example.org', '*.p.example.org']);
  writeFileSync(join(inbox, 'site.crt'), made.certificate);
  writeFileSync(
    join(inbox, 'site.pfx'),
    workshop.writes(
      'site.pfx',
      ['pkcs12', '-export', '-in', 'c.pem', '-inkey', 'k.pem', '-certfile', 'ca.pem', '-passout', 'pass:correct-horse'],
      {'c.pem': made.certificate, 'k.pem': made.key, 'ca.pem': issuing.certificate + root.certificate},
    ),
  );
  const screen = openTerminal(program, [], {environment: {GROUNDWORK_HOME: home, HOME: home}});
  onTestFinished(() => screen.kill('SIGKILL'));
  const operator = operatorAt(screen);
  await screen.waitFor('New installation', 60_000);
  await operator.choose('site', 'Go on with the answers');
  await operator.choose('Go on with the answers', 'is still missing');

  await operator.choose('Request', 'Certificate request');
  await operator.choose('Make the request', 'The request lies in');
  const csr = readFileSync(join(home, 'state/site/requests/main.csr'), 'utf8');
  expect(workshop.run(['req', '-noout', '-verify', '-text', '-in', 'r.csr'], {'r.csr': csr}).toString()).toContain(
    'DNS:*.p.example.org',
  );
  await operator.choose('Done', 'waiting for the CA');

  await operator.choose('Import', 'Import certificates');
  await operator.fill('Folder', inbox);
  await operator.choose('[ ] site.crt', 'cannot be used');
  await operator.pick('[x] site.crt');
  await operator.choose('[ ] site.pfx', 'is locked with a password');
  await operator.goTo('Password');
  await screen.press('correct-horse', key.enter);
  await screen.waitFor('can be used until', 60_000);
  await operator.choose('Import', /main +until \d{4}-/);
  expect(screen.history()).not.toContain('correct-horse');
  expect(readFileSync(join(home, 'config.json'), 'utf8')).not.toContain('PRIVATE KEY');
  expect(readFileSync(join(home, 'state/site/vault.json'), 'utf8')).toContain('certificate.main');
});
