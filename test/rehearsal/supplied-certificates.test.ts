import {randomBytes} from 'node:crypto';
import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {tls} from '../../source/deployment/schema.ts';
import type {Step} from '../../source/engine/step.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import type {PracticeHost, PracticeHosts} from '../../source/practice/practice-hosts.ts';
import {frame, unframe} from '../../source/shell/frame.ts';
import {sh} from '../../source/shell/script.ts';
import {certificates, firewall, hostBaseline, nginx} from '../../steps/index.ts';
import {converge} from '../support/apply.ts';
import {connectTo, factsOf, practiceFolder, run, startedPractice} from '../support/practice.ts';
import {contextFor, sampleDeployment} from '../support/step-context.ts';
import {openDepartment} from '../support/supplied.ts';

const department = openDepartment();
const deployment = sampleDeployment({domain: 'p.example.org', tls: tls.parse({mode: 'supplied'})});
const names = ['p.example.org', '*.p.example.org'];

describe('supplied certificates on a practice host', () => {
  let directory: string;
  let practice: PracticeHosts;
  let connection: Connection;
  let facts: Facts;
  beforeAll(async () => {
    directory = await practiceFolder();
    practice = await startedPractice({directory});
    connection = await connectTo(practice.hosts[0] as PracticeHost);
    facts = await factsOf(connection);
  }, 60_000);
  afterAll(async () => {
    await connection.close();
    await practice.close();
    await rm(directory, {recursive: true});
    department.workshop.remove();
  });

  const contextOf = (step: Step, vault: Map<string, string>) =>
    contextFor(step, {deployment, facts, vault, now: new Date()});

  const lay = async (step: Step, vault: Map<string, string>) =>
    (await converge(connection, step.resources(await contextOf(step, vault)))).rounds;

  const complaints = async (step: Step, vault: Map<string, string>): Promise<readonly string[]> => {
    const checks = step.verify(await contextOf(step, vault));
    const marker = randomBytes(8).toString('hex');
    const {stdout} = await run(
      connection,
      frame(
        marker,
        checks.map(({script}) => script),
      ),
    );
    const parts = unframe(marker, stdout);
    return checks.flatMap(({id, check}, index) => {
      const part = parts.get(index);
      const result = part ? check(part) : ({ok: false, error: 'no answer'} as const);
      return result.ok ? [] : [`${id}: ${result.error}`];
    });
  };

  const first = department.issue(names);
  const second = department.issue(names);

  it('are laid and prove themselves', {timeout: 120_000}, async () => {
    const vault = new Map([department.kept('main', first)]);
    for (const step of [hostBaseline, firewall, certificates, nginx]) {
      const [, again] = await lay(step, vault);
      expect(again, step.id).toEqual([]);
      expect(await complaints(step, vault), step.id).toEqual([]);
    }
    const {stdout} = await run(connection, sh`stat -c '%a %U' /etc/groundwork/tls/supplied.main.key`);
    expect(stdout.trim()).toBe('600 root');
  });

  it(
    'are replaced by one step, which reloads nginx and leaves nothing to do for its own',
    {timeout: 60_000},
    async () => {
      const vault = new Map([department.kept('main', second)]);
      const [changed = []] = await lay(certificates, vault);
      expect(changed.map(({id}) => id)).toEqual([
        'file /etc/groundwork/tls/supplied.main.key',
        'file /etc/groundwork/tls/supplied.main.crt',
        'reload of nginx.service',
      ]);
      expect((await lay(certificates, vault)).flat()).toEqual([]);
      expect((await lay(nginx, vault)).flat()).toEqual([]);
    },
  );

  it('show no key of theirs in what would change', {timeout: 60_000}, async () => {
    const context = await contextOf(certificates, new Map([department.kept('main', first)]));
    const {rounds} = await converge(connection, certificates.resources(context));
    const secret = first.key.split('\n')[1] as string;
    expect(JSON.stringify(rounds)).not.toContain(secret);
  });
});
