import {randomBytes} from 'node:crypto';
import type {Failure} from '../../source/engine/failure.ts';
import {sendFile} from '../../source/engine/send-file.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {ApplyPort, Assessment, Change, Products, Resource} from '../../source/resources/resource.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {frame, unframe} from '../../source/shell/frame.ts';

export type Changed = {readonly id: string; readonly changes: readonly Change[]};

export type Converged = {
  /** What each round changed. A set of resources that works has one round of changes and one without. */
  readonly rounds: readonly (readonly Changed[])[];
  readonly products: Products;
};

/** A failure of an apply, as a thrown thing that a test can look into. */
export class ApplyError extends Error {
  readonly failure: Failure;
  constructor(resource: string, failure: Failure) {
    super(`${resource}: ${failure.message}\n${(failure.tail ?? []).join('\n')}`);
    this.failure = failure;
  }
}

/** What an `apply` gets in these tests: every script in the foreground, with a status other than 0 as a failure. */
export const applyPort = (connection: Connection, tell: (line: string) => void = () => {}): ApplyPort => ({
  now: () => new Date(),
  tell,
  send: file =>
    sendFile(file, {
      host: connection.host,
      connect: async () => ok(connection),
      lost: async () => {},
      clock: {now: () => new Date(), sleep: async () => {}},
      signal: new AbortController().signal,
      onLine: tell,
    }),
  run: async (script, options = {}) => {
    const {detached, told: _, ...rest} = options;
    const ran = await connection.run(script, {timeoutMs: detached ? 600_000 : 120_000, ...rest});
    if (!ran.ok || ran.value.code === 0) return ran;
    const {code, stdout, stderr} = ran.value;
    return err({
      kind: 'command',
      host: connection.host,
      message: `The command ended with status ${code}.`,
      exit: code,
      tail: `${stdout}\n${stderr}`.trimEnd().split('\n').slice(-40),
    });
  },
});

/** Probes all resources in one round trip, as the engine does. Throws when one cannot be read. */
export const assess = async (
  connection: Connection,
  resources: readonly Resource[],
): Promise<ReadonlyMap<string, Assessment>> => {
  const marker = randomBytes(12).toString('hex');
  const ran = await connection.run(
    frame(
      marker,
      resources.map(({probe}) => probe),
    ),
  );
  if (!ran.ok) throw new ApplyError('probe', ran.error);
  const parts = unframe(marker, ran.value.stdout);
  return new Map(
    resources.map((resource, index) => {
      const part = parts.get(index);
      if (!part) throw new Error(`${resource.id}: no answer from its probe\n${ran.value.stderr}`);
      const assessed: Result<Assessment, string> = resource.assess(part);
      if (!assessed.ok) throw new Error(`${resource.id}: ${assessed.error}`);
      return [resource.id, assessed.value];
    }),
  );
};

/** What the resources would change now. */
export const plan = async (connection: Connection, resources: readonly Resource[]): Promise<readonly Changed[]> =>
  [...(await assess(connection, resources))]
    .map(([id, {changes}]) => ({id, changes}))
    .filter(({changes}) => changes.length > 0);

/**
 * Brings a host to what the resources say: one after the other, each probed again when something before it was
 * changed; then everything again. Throws an ApplyError when an apply fails.
 */
export const converge = async (
  connection: Connection,
  resources: readonly Resource[],
  {rounds = 2}: {readonly rounds?: number} = {},
): Promise<Converged> => {
  const port = applyPort(connection);
  const done: Changed[][] = [];
  let products: Products = {};
  for (let round = 0; round < rounds; round += 1) {
    const changed: Changed[] = [];
    let known = await assess(connection, resources);
    for (const [index, resource] of resources.entries()) {
      if (!known.has(resource.id)) known = await assess(connection, resources.slice(index));
      const {changes, apply, products: found} = known.get(resource.id) as Assessment;
      products = {...products, ...found};
      if (!apply) continue;
      const applied = await apply(port);
      if (!applied.ok) throw new ApplyError(resource.id, applied.error);
      changed.push({id: resource.id, changes});
      known = new Map();
    }
    done.push(changed);
  }
  return {rounds: done, products};
};
