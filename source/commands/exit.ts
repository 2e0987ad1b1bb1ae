import type {Failure} from '../engine/failure.ts';

/** Exit statuses. Scripts rely on them: they are documented in docs/commands.md and do not change. */
export const exit = {
  done: 0,
  /** A step, a verification or the run failed. */
  failed: 1,
  /** The command line or the deployment file is wrong; nothing was touched. */
  usage: 2,
  /** Preflight found what must be put right or accepted; nothing was touched. */
  preflight: 3,
  /** A host did not answer, or did not let us in: network, host key, login, sudo. */
  unreachable: 4,
  /** Stopped by the operator or a signal; `groundwork resume` goes on. */
  stopped: 5,
  /** Another Groundwork works on this deployment. */
  locked: 6,
  /** Everything is done but what waits for somebody outside (a DNS record, a certificate); `groundwork resume` goes on. */
  waiting: 7,
  /** `plan --exit-code` only: there is something to change. */
  changes: 10,
} as const;

/** The status that a failure ends a command with. */
export const exitOf = (failure: Failure): number => {
  switch (failure.kind) {
    case 'input':
      return exit.usage;
    case 'preflight':
      return exit.preflight;
    case 'unreachable':
    case 'connection-lost':
    case 'authentication':
    case 'host-key-unknown':
    case 'host-key-changed':
    case 'sudo':
      return exit.unreachable;
    case 'cancelled':
      return exit.stopped;
    case 'waiting':
      return exit.waiting;
    default:
      return exit.failed;
  }
};
