import {randomBytes} from 'node:crypto';
import type {HostSpec} from '../deployment/schema.ts';
import {cleanText} from '../engine/control-sequences.ts';
import type {Failure} from '../engine/failure.ts';
import {connect} from '../hosts/connect.ts';
import {err, ok, type Result} from '../result.ts';
import {frame, type PartOutput, unframe} from '../shell/frame.ts';
import type {Script} from '../shell/script.ts';
import type {Site} from './site.ts';

/** Milliseconds for a look that a command takes: a host that is away must not keep the rest of the answer back. */
const patience = 90_000;

/** Asks a host several things in one round trip, each by itself; the answers by the place of the question. */
export const askHost = async (
  site: Site,
  host: HostSpec,
  scripts: readonly Script[],
  signal: AbortSignal = AbortSignal.timeout(patience),
): Promise<Result<ReadonlyMap<number, PartOutput>, Failure>> => {
  const connection = await connect(host, site.connectOptions(signal));
  if (!connection.ok) return connection;
  try {
    const marker = `gw${randomBytes(16).toString('hex')}`;
    const output = await connection.value.run(frame(marker, scripts), {signal, timeoutMs: patience});
    return output.ok ? ok(unframe(marker, cleanText(output.value.stdout))) : err(output.error);
  } finally {
    await connection.value.close();
  }
};
