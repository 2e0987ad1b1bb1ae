import {err, ok, type Result} from '../result.ts';
import type {Setting} from './context.ts';
import type {Failure} from './failure.ts';
import {type Instance, instancesOf} from './graph.ts';
import {type Look, type LookCache, look} from './look.ts';
import type {LookPorts} from './ports.ts';
import {openSessions, type Sessions} from './sessions.ts';

/** The instances of a deployment, and what building their resources takes: its secrets made and at hand. */
export type Prepared = {readonly instances: readonly Instance[]; readonly setting: Setting};

export const prepare = async (
  ports: Pick<LookPorts, 'deployment' | 'steps' | 'ensureSecret' | 'clock' | 'marker'>,
): Promise<Result<Prepared, Failure>> => {
  const {deployment, steps, ensureSecret, clock, marker} = ports;
  const instances = instancesOf(steps, deployment);
  const secrets = new Map<string, string>();
  for (const step of new Set(instances.map(instance => instance.step))) {
    for (const spec of step.secrets?.(deployment) ?? []) {
      const {name} = spec;
      const value = await (spec.generate ? ensureSecret(name, spec.generate) : givenSecret(spec, ports));
      if (!value.ok) return value;
      secrets.set(name, value.value);
    }
  }
  const secret = (name: string): string => {
    const value = secrets.get(name);
    if (value === undefined) throw new Error(`no step asked for the secret "${name}"`);
    return value;
  };
  return ok({instances, setting: {deployment, secret, now: clock.now, marker}});
};

/** Ends the search of the vault for a secret that cannot be made. */
class NotGiven extends Error {}

const givenSecret = async (
  {name, given, remedy}: {readonly name: string; readonly given: string; readonly remedy?: string},
  {ensureSecret, deployment}: Pick<LookPorts, 'ensureSecret' | 'deployment'>,
): Promise<Result<string, Failure>> => {
  try {
    return await ensureSecret(name, () => {
      throw new NotGiven();
    });
  } catch (error) {
    if (!(error instanceof NotGiven)) throw error;
    return err({
      kind: 'input',
      message: `The vault lacks ${given}.`,
      remedy: remedy ?? `Put it there with \`groundwork secrets set ${deployment.name} ${name}\`, then try again.`,
    });
  }
};

export type Opened = Look & {readonly prepared: Prepared; readonly sessions: Sessions};

/** Looks at all hosts once and keeps what was found for the next look. The caller closes the sessions. */
export const lookOnce = async (ports: LookPorts): Promise<Result<Opened, Failure>> => {
  const prepared = await prepare(ports);
  if (!prepared.ok) return prepared;
  const sessions = openSessions(host => ports.connect(host, ports.signal));
  const {instances, setting} = prepared.value;
  const found = await look({
    instances,
    setting,
    facts: ports.facts,
    connect: sessions.to,
    lost: sessions.lost,
    cache: ports.cache.read(),
    verify: false,
    signal: ports.signal,
  });
  remember(found, ports.cache);
  return ok({...found, prepared: prepared.value, sessions});
};

/** Hosts that did not answer keep what was known of them. A cache that cannot be written costs a round trip later. */
export const remember = (
  found: Look,
  cache: LookPorts['cache'],
  now: Partial<Pick<LookCache, 'products' | 'settled'>> = {},
): void => {
  const fresh = Object.fromEntries(
    found.hosts.flatMap(each => ('facts' in each ? [[each.host.name, each.facts]] : [])),
  );
  const settled = found.instances
    .filter(({resources}) => resources?.every(({assessment}) => assessment.ok && assessment.value.changes.length === 0))
    .map(({instance}) => instance.key);
  const kept = new Set([...settled, ...(now.settled ?? [])]);
  try {
    cache.write({
      facts: {...cache.read().facts, ...fresh},
      products: now.products ?? found.products,
      settled: [...kept],
    });
  } catch {
    // A full disk here is told by the journal.
  }
};
