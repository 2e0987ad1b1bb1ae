import {err, ok, type Result} from '../result.ts';
import type {Artifact} from './artifact.ts';
import type {Client} from './client.ts';
import {type PullPorts, resolver} from './pull.ts';
import {addressFrom} from './source.ts';

/** What became of the question for one artifact. */
export type Availability = {
  readonly artifact: Artifact;
  /** `present`: where it is needed already, verified. */
  readonly state: 'present' | 'available' | 'missing';
  /** Bytes, if the server told. */
  readonly size?: number;
  /** Why it is missing, in the words of the download that would fail. */
  readonly reason?: string;
};

const sizeIn = (length: string | undefined): number | undefined => (length === undefined ? undefined : Number(length));

/** Bytes, as the server tells them; a server that does not answer HEAD is asked for the beginning. */
const headOf = async (
  client: Client,
  address: string,
  signal: AbortSignal,
): Promise<Result<number | undefined, string>> => {
  const head = await client.get(address, {method: 'HEAD', signal});
  if (head.ok) {
    head.value.body.resume();
    return ok(sizeIn(head.value.headers['content-length']));
  }
  if (head.error.status !== 405 && head.error.status !== 501) return err(head.error.message);
  const got = await client.get(address, {signal});
  if (!got.ok) return err(got.error.message);
  got.value.body.destroy();
  return ok(sizeIn(got.value.headers['content-length']));
};

/** Asks from this side for one artifact after the other; ends early when the signal aborts. */
export async function* askServers(
  artifacts: readonly Artifact[],
  ports: Pick<PullPorts, 'client' | 'source' | 'signal'>,
): AsyncGenerator<Availability> {
  const {client, source, signal} = ports;
  const resolve = resolver(ports);
  for (const artifact of artifacts) {
    const resolved = await resolve(artifact);
    const head = resolved.ok ? await headOf(client, addressFrom(source, resolved.value.address), signal) : resolved;
    if (signal.aborted) return;
    yield head.ok
      ? {artifact, state: 'available', ...(head.value !== undefined && {size: head.value})}
      : {artifact, state: 'missing', reason: head.error};
  }
}
