import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {join} from 'node:path';
import {acquireLock} from '../deployment/lock.ts';
import type {Failure} from '../engine/failure.ts';
import {supportedSystems} from '../hosts/os-data.ts';
import {isDnsLabel} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';
import {faultOf, faultPath, faultText, faultySteps} from './faults.ts';
import {type PracticeHostSpec, placeOf, systemOf} from './hardware.ts';
import {checkIsolation, firstUid, type Isolation} from './isolation.ts';
import {keyIn, type PublicKey} from './keys.ts';
import {type Machine, startMachine} from './machine.ts';
import {serveNetwork} from './network.ts';
import {prepareRoot, toolsOf} from './root-files.ts';
import {type SshServer, serveSsh} from './ssh-server.ts';
import {wipe} from './wipe.ts';

/** A practice host that answers SSH on this machine. */
export type PracticeHost = {
  readonly name: string;
  readonly address: '127.0.0.1';
  readonly port: number;
  readonly user: 'root';
  /** Path of the key that lets in, mode 0600. */
  readonly identityFile: string;
  /** What its server shows, to be put before the operator like any other. */
  readonly hostKey: PublicKey;
  /** Its address in the network that practice hosts pretend to share, 10.0.0.0/24. */
  readonly privateAddress: string;
};

export type PracticeHosts = {
  readonly hosts: readonly PracticeHost[];
  /** Ends them, and everything that runs in them. What is on their disks stays. */
  readonly close: () => Promise<void>;
};

export type PracticeOptions = {
  readonly hosts: readonly PracticeHostSpec[];
  /** Where they live; what is in it is there again at the next start. Made when missing. */
  readonly directory: string;
  /** fixtures/practice of the project. */
  readonly fixtures: string;
  /** Id of the step that fails once on the first host, the next time that it changes something there. */
  readonly fault?: string | undefined;
  /** Throws away what earlier practice left on these hosts. Their keys and ports stay. */
  readonly fresh?: boolean;
  /** How long stand-in tools take over their work: 1, the default, is a quick machine; 0 not at all. */
  readonly pace?: number;
  /** Called when all is well and the hosts are about to be started, which takes a moment. */
  readonly onStart?: () => void;
};

/** Ports stay the same between starts, so that a saved deployment finds its hosts again. */
const portIn = (path: string): number | undefined => {
  const port = existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.NaN;
  return Number.isInteger(port) && port > 1023 && port < 65_536 ? port : undefined;
};

const input = (message: string, remedy: string): Failure => ({kind: 'input', message, remedy});

const wrong = ({hosts, fault}: PracticeOptions): Failure | undefined => {
  if (fault !== undefined && !faultOf(fault)) {
    return input(`There is no fault for a step “${fault}”.`, `Choose one of: ${faultySteps.join(', ')}.`);
  }
  const names = hosts.map(({name}) => name);
  const badName = names.find((name, index) => !isDnsLabel(name) || names.indexOf(name) !== index);
  if (badName !== undefined) {
    return input(`“${badName}” cannot be the name of a practice host.`, 'Give each host a DNS label of its own.');
  }
  const unknown = hosts.find(spec => systemOf(spec) === undefined);
  if (unknown) {
    const known = supportedSystems.map(({id, version}) => `${id}-${version}`).join(', ');
    return input(`Practice hosts have no system “${unknown.os}”.`, `Choose one of: ${known}.`);
  }
  return undefined;
};

/** Runs a script in a host, for what this side puts there itself. */
const runIn = (machine: Machine, script: string, stdin: string): Promise<number | null> => {
  const child = machine.start(['bash', '-c', script], {PATH: '/usr/bin:/bin'});
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  return new Promise(resolve => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
};

type Started = {readonly host: PracticeHost; readonly machine: Machine; readonly server: SshServer};

const startOne = async (
  {directory, fixtures, fault, fresh = false, pace = 1}: PracticeOptions,
  isolation: Isolation,
  spec: PracticeHostSpec,
  index: number,
): Promise<Result<Started, Failure>> => {
  const home = join(directory, spec.name);
  const folder = join(home, 'machine');
  const place = placeOf(index);
  const problem = fresh ? wipe(folder) : undefined;
  if (problem !== undefined) {
    return err({
      kind: 'input',
      host: spec.name,
      message: `What earlier practice left on ${spec.name} was not thrown away: ${problem}.`,
      remedy: `Look at ${folder}, and put it right by hand.`,
    });
  }
  mkdirSync(folder, {recursive: true});
  // The host's root passes through it, who as root's practice host is nobody on this machine.
  chmodSync(folder, 0o755);
  prepareRoot({folder, fixtures, spec, place, owner: isolation.root ? firstUid : undefined, pace});
  const machine = await startMachine({name: spec.name, folder, fixtures, isolation});
  if (!machine.ok) return machine;
  // Each machine fails once, if the step concerns it.
  const planned = fault === undefined ? undefined : faultOf(fault);
  await runIn(machine.value, planned ? `cat >${faultPath}` : `rm -f ${faultPath}`, planned ? faultText(planned) : '');
  const hostKey = keyIn(join(home, 'host-key'), spec.name);
  const clientKeyPath = join(directory, 'identity');
  const portFile = join(home, 'port');
  const server = await serveSsh({
    machine: machine.value,
    hostKey,
    clientKey: keyIn(clientKeyPath, 'practice').publicKey,
    port: portIn(portFile),
    sshConnection: `${place.operator} 50322 ${place.address} 22`,
  });
  writeFileSync(portFile, `${server.port}\n`);
  return ok({
    machine: machine.value,
    server,
    host: {
      name: spec.name,
      address: '127.0.0.1',
      port: server.port,
      user: 'root',
      identityFile: clientKeyPath,
      hostKey: hostKey.publicKey,
      privateAddress: place.address,
    },
  });
};

/**
 * Starts practice hosts: throw-away hosts on this machine, each with an SSH server on loopback and a private root in
 * which the real scripts run and nothing of this machine can be changed. Works as root and as an ordinary user where
 * the kernel allows user namespaces; a failure says where it does not, and what to do.
 */
export const startPracticeHosts = async (options: PracticeOptions): Promise<Result<PracticeHosts, Failure>> => {
  const mistake = wrong(options);
  if (mistake) return err(mistake);
  const isolation = await checkIsolation();
  if (!isolation.ok) return isolation;
  const {directory} = options;
  mkdirSync(directory, {recursive: true, mode: 0o700});
  const lock = await acquireLock(join(directory, 'lock'), {
    user: userInfo().username,
    host: hostname(),
    pid: process.pid,
    since: new Date().toISOString(),
    command: 'groundwork practice',
  });
  if (!lock.ok) {
    const who = lock.error.owner ? ` (${lock.error.owner.user}, process ${lock.error.owner.pid})` : '';
    return err(
      input(`Another program${who} uses the practice hosts in ${directory}.`, 'End it, or practise elsewhere.'),
    );
  }
  keyIn(join(directory, 'identity'), 'practice');
  options.onStart?.();
  const results = await Promise.all(
    options.hosts.map((spec, index) => startOne(options, isolation.value, spec, index)),
  );
  const started = results.flatMap(result => (result.ok ? [result.value] : []));
  const network = await serveNetwork(
    started.map(({host, machine}) => ({
      address: host.privateAddress,
      tools: toolsOf(join(directory, host.name, 'machine')),
      machine,
    })),
  );
  const close = async () => {
    await network.close();
    await Promise.all(started.map(({server}) => server.close()));
    await Promise.all(started.map(({machine}) => machine.stop()));
    await lock.value.release();
  };
  const failed = results.find(result => !result.ok);
  if (failed && !failed.ok) {
    await close();
    return failed;
  }
  return ok({hosts: started.map(({host}) => host), close});
};
