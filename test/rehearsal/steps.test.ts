import {randomBytes} from 'node:crypto';
import {rm} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {artifactRemedies} from '../../source/artifacts/remedies.ts';
import {stepsOf} from '../../source/blueprints/blueprint.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {generalRemedies} from '../../source/engine/remedies.ts';
import type {Step} from '../../source/engine/step.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {kubernetesRemedies} from '../../source/kubernetes/remedies.ts';
import {type Fault, faultOf, faultPath, faultText, faultySteps} from '../../source/practice/faults.ts';
import type {PracticeHost, PracticeHosts} from '../../source/practice/practice-hosts.ts';
import type {Products} from '../../source/resources/resource.ts';
import {frame, unframe} from '../../source/shell/frame.ts';
import {sh} from '../../source/shell/script.ts';
import {ApplyError, type Changed, converge, plan} from '../support/apply.ts';
import {anEnvironment} from '../support/deployments.ts';
import {
  connectTo,
  factsOf,
  practiceFolder,
  run,
  sandboxMachine,
  startedPractice,
  startPracticeAsNobody,
} from '../support/practice.ts';
import {contextFor, wholeDeployment} from '../support/step-context.ts';

/** Everything that can be installed, with an environment of all modules. */
const deployment = wholeDeployment({
  environments: [anEnvironment({name: 'dev', modules: ['registry', 'spar', 'pbms', 'g2p-bridge']})],
});

const allSteps = stepsOf(openg2p, deployment);

/** Without those that only wait for a site's own DNS, which one machine with a server of ours has no use for. */
const steps = allSteps.filter(step => step.enabled?.(deployment) ?? true);

/** What the engine keeps of a run, for as many runs as share a vault. */
const walk = (vault = new Map<string, string>()) => {
  let products: Products = {};
  const context = (step: Step, facts: Facts) => contextFor(step, {deployment, facts, products, vault, now: new Date()});
  return {
    apply: async (connection: Connection, facts: Facts, step: Step) => {
      const done = await converge(connection, step.resources(await context(step, facts)));
      products = {...products, ...done.products};
      return done.rounds;
    },
    verify: async (connection: Connection, facts: Facts, step: Step) => {
      const checks = step.verify(await context(step, facts));
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
    },
    plan: async (connection: Connection, facts: Facts, step: Step) =>
      plan(connection, step.resources(await context(step, facts))),
  };
};

// As an ordinary user, who may do least; root goes through all of them below, with a fault in each.
describe('the steps of the sandbox on practice hosts: Ubuntu 24.04, as an ordinary user', () => {
  let directory: string;
  let practice: PracticeHosts;
  let connection: Connection;
  const journey = walk();

  const begin = async () => {
    const started = await startPracticeAsNobody({directory});
    if (!started.ok) throw new Error(started.error.message);
    practice = started.value;
    connection = await connectTo(practice.hosts[0] as PracticeHost);
  };
  const end = async () => {
    await connection.close();
    await practice.close();
  };
  beforeAll(async () => {
    directory = await practiceFolder();
    await begin();
  }, 60_000);
  afterAll(async () => {
    await end();
    await rm(directory, {recursive: true});
  });

  const planned = async (): Promise<readonly Changed[]> => {
    const facts = await factsOf(connection);
    const all: Changed[] = [];
    for (const step of steps) all.push(...(await journey.plan(connection, facts, step)));
    return all;
  };

  test('converge in one round, and verify themselves', {timeout: 600_000}, async () => {
    const facts = await factsOf(connection);
    for (const step of steps) {
      const [first = [], second] = await journey.apply(connection, facts, step);
      expect(first.length, step.id).toBeGreaterThan(0);
      expect(second, step.id).toEqual([]);
      expect(await journey.verify(connection, facts, step), step.id).toEqual([]);
    }
  });

  test('have nothing to change when the host is looked at again', {timeout: 120_000}, async () => {
    expect(await planned()).toEqual([]);
  });

  test('have nothing to change after the host has started again', {timeout: 120_000}, async () => {
    await end();
    await begin();
    expect(await planned()).toEqual([]);
  });
});

describe('a fault', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await practiceFolder();
  });
  afterAll(() => rm(directory, {recursive: true}));

  test('exists for every step', () => {
    const ids = allSteps.map(({id}) => id.replace(/^environment-dev-/, 'environment-NAME-'));
    expect(faultySteps.toSorted()).toEqual(ids.toSorted());
    for (const {id} of allSteps) expect(faultOf(id), id).toBeDefined();
    expect(faultOf('environment-NAME-coffee')).toBeUndefined();
  });

  test.each(
    steps.map(step => [step.id, step] as const),
  )('of %s is one with a known remedy that does not pass by itself, so that the operator is asked', (id, step) => {
    const text = faultOf(id)?.says.join('\n') ?? '';
    // Those of downloads and of what is on a cluster are asked by the resources themselves, before the step's own.
    const all = [...artifactRemedies, ...kubernetesRemedies, ...(step.remedies ?? []), ...generalRemedies];
    const known = all.find(({match}) => match.test(text));
    expect(known?.remedy).toBeTruthy();
    expect(known?.transient ?? false).toBe(false);
  });

  test('makes each step fail once, and the next attempt succeeds', {timeout: 900_000}, async () => {
    const practice = await startedPractice({
      directory,
      fault: steps[0]?.id,
      hosts: [{...sandboxMachine, os: 'debian-12'}],
    });
    const connection = await connectTo(practice.hosts[0] as PracticeHost);
    const facts = await factsOf(connection);
    const journey = walk();
    for (const [index, step] of steps.entries()) {
      const fault = faultOf(step.id) as Fault;
      // The first is there from the start; for the others, what a start with them would leave on the host.
      if (index > 0) await run(connection, sh`printf '%s' ${faultText(fault)} >${faultPath}`);
      const failure = await journey.apply(connection, facts, step).catch((error: unknown) => error);
      expect(failure, step.id).toBeInstanceOf(ApplyError);
      // Said by helm with a word before it that operators need not see.
      expect((failure as ApplyError).failure.tail?.join('\n')).toContain(fault.says.at(-1)?.replace(/^Error: /, ''));
      await journey.apply(connection, facts, step);
      expect(await journey.verify(connection, facts, step), step.id).toEqual([]);
    }
    await connection.close();
    await practice.close();
  });

  test('that was not met is forgotten at the next start', {timeout: 60_000}, async () => {
    for (const [fault, left] of [
      ['nginx', 'nginx\n'],
      [undefined, ''],
    ] as const) {
      const practice = await startedPractice({directory, fault, hosts: [{...sandboxMachine, os: 'debian-12'}]});
      const connection = await connectTo(practice.hosts[0] as PracticeHost);
      expect((await run(connection, sh`head -n 1 ${faultPath} 2>/dev/null`)).stdout).toBe(left);
      await connection.close();
      await practice.close();
    }
  });
});
