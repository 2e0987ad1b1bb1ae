import {isAbsolute, join, relative} from 'node:path';
import {backupHost, hasBackup} from '../../steps/backup/settings.ts';
import {handedOverAuthority} from '../../steps/certificates/paths.ts';
import {stepsOf} from '../blueprints/blueprint.ts';
import {stateWord} from '../components/state-word.ts';
import {counted, duration} from '../components/text.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {RunOutcome} from '../engine/events.ts';
import {type RunView, runView, type StepView} from '../engine/run-view.ts';
import {keptHere} from '../reporters/removal.ts';
import {tookText} from '../reporters/took.ts';
import {accessLines, entranceLines} from './access.ts';
import type {RunPicture} from './run-session.ts';
import type {Services} from './services.ts';

export type Summary = {
  readonly outcome: RunOutcome;
  readonly headline: string;
  /** What was taken away, in words; absent when something was installed. */
  readonly removes?: string;
  /** What there is now, or what stands in the way. */
  readonly lines: readonly string[];
  /** The same in fewer lines, for a small terminal. */
  readonly brief: readonly string[];
  /** How to put the VPN on a device. Empty when there is no file for one. */
  readonly devices: readonly string[];
  /** How to make systems trust the CA. Empty when there is none. */
  readonly trust: readonly string[];
  /** Addresses and first logins. Empty without a platform. */
  readonly access: readonly string[];
  readonly steps: readonly string[];
};

/** What is to be said after a run: on the last screen, and on the terminal when the program has ended. */
export const summaryOf = (
  services: Pick<Services, 'lastRun' | 'folderOf' | 'logOf' | 'practice' | 'blueprints'>,
  deployment: Deployment,
  picture: RunPicture | undefined,
): Summary => {
  const view = picture?.view ?? runView(services.lastRun(deployment.name));
  const outcome = picture?.result?.outcome ?? view.outcome ?? 'stopped';
  const folder = services.folderOf(deployment.name);
  // A verification hands nothing over; what the installation did is still there.
  const handovers = view.handovers.length > 0 ? view.handovers : runView(services.lastRun(deployment.name)).handovers;
  const files = handovers.map(file => ({
    ...file,
    path: isAbsolute(file.path) ? file.path : join(folder, file.path),
  }));
  const devices = files.filter(file => file.path.endsWith('.conf'));
  const authority = files.find(file => file.path === join(folder, handedOverAuthority));
  const steps = view.steps.flatMap(step =>
    wasProvenOnly(step) ? provenLines(services, deployment, step) : [doneLine(step)],
  );
  const headline = headlineOf(deployment, outcome, view);
  if (view.removes !== undefined) {
    const lines = outcome === 'succeeded' ? afterRemoval(deployment, folder) : obstacles(services, deployment, view);
    return {outcome, headline, removes: view.removes, lines, brief: lines, devices: [], trust: [], access: [], steps};
  }
  return {
    outcome,
    headline,
    lines:
      outcome === 'succeeded'
        ? [...installed(deployment), ...fileLines(folder, files)]
        : obstacles(services, deployment, view),
    brief:
      outcome === 'succeeded'
        ? [...installed(deployment), ...briefFileLines(folder, files)]
        : obstacles(services, deployment, view),
    devices: devices.length > 0 ? deviceLines(devices.map(file => file.path)) : [],
    trust: authority ? trustLines(authority.path) : [],
    access: accessLines(services, deployment),
    steps,
  };
};

const afterRemoval = ({name}: Deployment, folder: string): readonly string[] => [
  '',
  'Data and packages that were listed as staying are where they were.',
  '',
  ...keptHere(name, folder),
];

const doneLine = (step: StepView): string =>
  `${stateWord(step.state).padEnd(9)} ${step.title} on ${step.host}${
    step.seconds === undefined ? '' : `, ${duration(step.seconds)}`
  }${step.changed > 0 ? `, ${counted(step.changed, 'change')}` : ''}`;

/** A verification runs no step; it asks the tools that steps have installed. */
const wasProvenOnly = ({state, verified}: StepView): boolean => state === 'pending' && verified.length > 0;

/** A verification tells steps by their ids only. */
const provenLines = (
  {blueprints}: Pick<Services, 'blueprints'>,
  deployment: Deployment,
  {step, host, verified}: StepView,
): readonly string[] => {
  const blueprint = blueprints.find(({id}) => id === deployment.blueprint);
  const title = (blueprint ? stepsOf(blueprint, deployment) : []).find(({id}) => id === step)?.title ?? step;
  const wrong = verified.filter(({passed}) => !passed);
  return [
    `${(wrong.length > 0 ? 'NOT TRUE' : 'proven').padEnd(9)} ${title} on ${host}, ${counted(verified.length, 'check')}`,
    ...wrong.map(check => `          ${check.title}: ${check.detail}`),
  ];
};

const headlineOf = (deployment: Deployment, outcome: RunOutcome, view: RunView): string => {
  const counts = `${counted(view.changed, 'change')}, ${view.unchanged} in order`;
  const took = tookText(view);
  if (view.removes !== undefined) {
    if (outcome === 'succeeded') return `Removed ${view.removes} of ${deployment.name}: ${counts}. It took ${took}.`;
    return outcome === 'failed'
      ? `${deployment.name}: not all is removed, ${counted(view.failed, 'step')} failed; ${counts}.`
      : `Stopped while ${view.removes} was being removed: ${counts}.`;
  }
  switch (outcome) {
    case 'succeeded':
      if (view.steps.some(wasProvenOnly)) {
        const checks = view.steps.reduce((sum, {verified}) => sum + verified.length, 0);
        return `${deployment.name} does its work: ${counted(checks, 'check')} with the real tools passed.`;
      }
      return view.changed === 0
        ? `${deployment.name} is as it should be: ${view.unchanged} looked at, nothing to change.`
        : `${deployment.name} is installed: ${counts}. It took ${took}.`;
    case 'failed':
      return `${deployment.name} is not complete: ${failedText(view)}; ${counts}.`;
    case 'waiting':
      return `${deployment.name} waits for you; what could be done without it is done: ${counts}.`;
    default:
      return `Stopped. What is done is kept: ${counts}.`;
  }
};

/** Hosts that were left aside have no steps that failed. */
const failedText = ({steps, hosts}: RunView): string => {
  const failed = steps.filter(({state}) => state === 'failed').length;
  const silent = hosts.filter(({state}) => state === 'failed').map(({host}) => host);
  return [
    ...(failed > 0 || silent.length === 0 ? [`${counted(failed, 'step')} failed`] : []),
    ...(silent.length > 0 ? [`${silent.join(', ')} could not be reached`] : []),
  ].join(', ');
};

type File = {readonly path: string; readonly title: string; readonly secret: boolean};

const installed = (deployment: Deployment): readonly string[] => {
  const vpns = deployment.channels.flatMap(channel => (channel.kind === 'private' ? [channel] : []));
  return [
    '',
    `Hosts          ${deployment.hosts.map(host => `${host.name} ${host.privateAddress}`).join(', ')}`,
    `Names          everything below ${deployment.domain}, from inside the VPN`,
    ...vpns.map(vpn => `VPN            ${vpn.endpoint} port ${vpn.port}/udp, ${vpn.subnet}`),
    ...entranceLines(deployment),
    ...(hasBackup(deployment) ? [`Backups        on ${backupHost(deployment).name}: groundwork backup status`] : []),
    ...(deployment.channels.some(channel => channel.kind === 'public')
      ? ['The internet   may reach the web ports: public access is on']
      : []),
  ];
};

const fileLines = (folder: string, files: readonly File[]): readonly string[] => [
  ...(files.length > 0 ? ['', 'Files for you, readable by you only, in', `  ${folder}`] : []),
  ...files.map(file => {
    const path = relative(folder, file.path);
    return `  ${path.padEnd(longest(files, folder))}  ${file.title}${file.secret ? ' (secret)' : ''}`;
  }),
];

const briefFileLines = (folder: string, files: readonly File[]): readonly string[] =>
  files.length > 0
    ? [`Files for you  ${folder}`, `               ${files.map(file => relative(folder, file.path)).join(', ')}`]
    : [];

const longest = (files: readonly File[], folder: string): number =>
  Math.max(0, ...files.map(file => relative(folder, file.path).length));

const obstacles = (services: Pick<Services, 'logOf'>, deployment: Deployment, view: RunView): readonly string[] => {
  const failed = view.steps.filter(step => step.state === 'failed' || step.state === 'waiting');
  const hosts = [...new Set(failed.map(step => step.host))];
  return [
    '',
    ...view.problems.flatMap(problem => [
      `${problem.host ? `${problem.host}: ` : ''}${problem.message}`,
      ...(problem.remedy ? [`  What to do: ${problem.remedy}`] : []),
    ]),
    ...failed.flatMap(step => [
      `${step.title} on ${step.host}: ${step.failure?.message ?? 'failed'}`,
      ...(step.failure?.remedy ? [`  What to do: ${step.failure.remedy}`] : []),
    ]),
    ...hosts.map(host => `Log: ${services.logOf(deployment.name, host)}`),
  ];
};

const deviceLines = (paths: readonly string[]): readonly string[] => [
  'Each device has a file of its own. Bring it there in a way that nobody else can read, for example with scp, and delete what is left on the way.',
  '',
  ...paths.map(path => `  ${path}`),
  '',
  'Linux            sudo install -m 600 FILE /etc/wireguard/groundwork.conf',
  '                 sudo systemctl enable --now wg-quick@groundwork',
  'macOS, Windows   the WireGuard app: Import tunnel(s) from file',
  'Android, iOS     the WireGuard app: Create from file or archive',
];

const trustLines = (path: string): readonly string[] => [
  'Devices warn of its certificates until they know who issued them, which this file tells. It is no secret, but bring it there in a way that nobody can exchange it:',
  '',
  `  ${path}`,
  '',
  'Debian, Ubuntu   sudo cp FILE /usr/local/share/ca-certificates/groundwork.crt',
  '                 sudo update-ca-certificates',
  'Fedora, RHEL     sudo cp FILE /etc/pki/ca-trust/source/anchors/',
  '                 sudo update-ca-trust',
  'macOS            sudo security add-trusted-cert -d -r trustRoot',
  '                 -k /Library/Keychains/System.keychain FILE',
  'Windows          certutil -addstore -f Root FILE  (as administrator)',
  'Firefox          Settings, View Certificates, Authorities, Import',
];

/** What is left on the terminal when one leaves after a run: plain lines. */
export const closingLines = (summary: Summary): readonly string[] => [
  summary.headline,
  ...summary.lines,
  ...(summary.outcome === 'succeeded' ? [] : ['', 'Start groundwork again to go on; what is done is not repeated.']),
  ...(summary.outcome === 'succeeded' && summary.access.length > 0 ? ['', ...summary.access] : []),
  ...(summary.devices.length > 0 ? ['', ...summary.devices] : []),
  ...(summary.trust.length > 0 ? ['', ...summary.trust] : []),
];
