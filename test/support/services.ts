import type {FoundHost, HostReport, RunPorts, RunResult, Services} from '../../source/app/services.ts';
import type {Blueprint} from '../../source/blueprints/blueprint.ts';
import {removedName} from '../../source/blueprints/removal.ts';
import {type Deployment, kubernetes, deployment as schema} from '../../source/deployment/schema.ts';
import type {Preferences, SavedDeployment} from '../../source/deployment/store.ts';
import type {NewEvent, PlannedStep, RunEvent, RunOutcome, StepState} from '../../source/engine/events.ts';
import type {Failure} from '../../source/engine/failure.ts';
import type {Purge} from '../../source/engine/removal.ts';
import {step} from '../../source/engine/step.ts';
import type {CheckResult} from '../../source/hosts/check.ts';
import type {HostKeyFinding} from '../../source/hosts/host-key.ts';
import type {Imported} from '../../source/import/item.ts';
import {parseCidr} from '../../source/network/address.ts';
import {isDomainName} from '../../source/network/names.ts';
import type {HostRemoval} from '../../source/reporters/removal.ts';
import {err, ok} from '../../source/result.ts';
import {madeUpCertificates} from './certificate-services.ts';
import {sampleFacts} from './facts.ts';

const titles: Readonly<Record<string, string>> = {
  'host-baseline': 'Host baseline',
  firewall: 'Firewall',
  wireguard: 'WireGuard server',
  'local-dns': 'Local DNS',
  certificates: 'CA and certificates',
  nginx: 'nginx',
  'nfs-server': 'NFS server',
};

const steps = Object.entries(titles).map(([id, title]) =>
  step({id, title, why: '', role: 'base', after: [], estimate: 12, resources: () => [], verify: () => []}),
);

export const sampleBlueprint: Blueprint = {
  id: 'openg2p',
  title: 'OpenG2P',
  purpose: 'Digital delivery of social benefits.',
  roles: [
    {id: 'base', title: 'base', purpose: 'What every machine gets'},
    {id: 'proxy', title: 'reverse proxy', purpose: 'The way in'},
  ],
  topologies: [
    {
      id: 'sandbox',
      title: 'Sandbox',
      purpose: 'Everything on one machine, to try it out and to train people.',
      machines: [
        {
          id: 'sandbox',
          title: 'sandbox machine',
          count: {min: 1, max: 1},
          nominal: {cpus: 16, memoryGb: 64, diskGb: 128},
          least: {cpus: 16, memoryGb: 60, diskGb: 100},
          roles: ['base', 'proxy'],
        },
      ],
      drawing: [
        '  laptop ====> 51820/udp  +---------------------------+',
        '                          | firewall                  |',
        '  site LAN --> 443/tcp    | WireGuard   nginx   NFS   |',
        '                          +---------------------------+',
      ],
    },
  ],
  steps,
  defaults: (name, topology) => ({
    ...schema.parse({
      version: 1,
      name,
      blueprint: 'openg2p',
      topology,
      hosts: [],
      domain: 'openg2p.test',
      tls: {mode: 'local-ca'},
      channels: [],
      network: {privateSubnet: '10.0.0.0/16', adminSources: ['10.0.0.0/8']},
      components: {dns: {}, nfs: {}, nginx: {}},
    }),
    channels: [
      {
        name: 'admin',
        kind: 'private',
        subnet: '10.15.0.0/16',
        port: 51820,
        endpoint: '',
        tunnel: 'split',
        peers: [{name: 'laptop'}],
      },
    ],
  }),
};

export const sampleFailure: Failure = {
  kind: 'command',
  message: 'The packages could not be installed.',
  host: 'sandbox-1',
  attempted: 'installing packages wireguard, wireguard-tools',
  exit: 100,
  tail: ['Reading package lists... Done', 'E: Unable to locate package wireguard'],
  cause: 'The list of packages is old, or the mirror does not carry them.',
  remedy: 'Check the network of the host, then try again.',
};

const fingerprint = 'SHA256:5m0kJcVJ5Zb4o7Yw1qgEo6Jx3cP0QnQf9rKk1xq2b3A';

export type Script = {
  /** The step that fails, how often, and with what. */
  readonly failing?: {
    readonly step: string;
    readonly times: number;
    readonly failure?: Failure;
    readonly skipCosts?: string;
  };
  /** Milliseconds between two events. 0: as fast as turns go. */
  readonly pace?: number;
  readonly checks?: readonly CheckResult[];
  readonly hostKey?: Partial<HostKeyFinding>;
  readonly inspection?: (deployment: Deployment) => readonly HostReport[];
  readonly saved?: readonly SavedDeployment[];
  readonly practice?: boolean;
  readonly notices?: readonly string[];
  readonly lastRun?: readonly RunEvent[];
  /** What an import makes of files that are called good. */
  readonly imported?: Partial<Imported>;
  /** What there is to be taken away. */
  readonly removal?: (purge: Purge) => readonly HostRemoval[];
  readonly now?: () => number;
  readonly logLines?: number;
  /** The step in whose first command a run stays until `release` is called or it is stopped. */
  readonly holdAt?: string;
  /** Who holds the lock of the deployment, in a sentence: runs are refused until one takes over. */
  readonly lockedBy?: string;
};

export type MadeUp = Services & {
  /** What was asked of it, in order: `trust sandbox-1`, `answer retry`. */
  readonly asked: string[];
  readonly stored: () => readonly SavedDeployment[];
  /** Lets a run go on that stays at a step. */
  readonly release: () => void;
};

const pause = (milliseconds: number) =>
  new Promise<void>(resolve => {
    if (milliseconds > 0) setTimeout(resolve, milliseconds);
    else setImmediate(resolve);
  });

const aborted = (signal: AbortSignal) =>
  new Promise<void>(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });

export const passedCheck = (host: string, id: string, title: string, found: string): CheckResult => ({
  id,
  host,
  title,
  severity: 'error',
  outcome: 'passed',
  acceptable: true,
  found,
  needed: 'enough',
  remedy: '',
});

export const smallMemory: CheckResult = {
  id: 'memory',
  host: 'sandbox-1',
  title: 'Memory',
  severity: 'error',
  outcome: 'failed',
  acceptable: true,
  found: '7.7 GiB',
  needed: 'at least 60 GB',
  remedy: 'Give the machine more memory, or accept this to try it out.',
};

const allChecks = (host: string): readonly CheckResult[] => [
  passedCheck(host, 'os', 'Operating system', 'Ubuntu 24.04.3 LTS'),
  passedCheck(host, 'arch', 'Architecture', 'amd64'),
  passedCheck(host, 'cpus', 'CPUs', '16'),
  passedCheck(host, 'disk', 'Disk', '119 GiB free'),
  passedCheck(host, 'port-443', 'Port 443', 'free'),
  {...passedCheck(host, 'swap', 'Swap', 'off'), severity: 'warning'},
];

/** A program behind the screens that touches nothing: it remembers what it was asked, and runs by a script. */
export const madeUpServices = (script: Script = {}): MadeUp => {
  const asked: string[] = [];
  let saved: readonly SavedDeployment[] = script.saved ?? [];
  let preferences: Preferences = {glyphs: 'auto', colour: 'auto'};
  let trusted = false;
  const vault = new Map<string, string>();
  const now = script.now ?? Date.now;
  const {pace = 0, practice = false} = script;
  const held = Promise.withResolvers<void>();

  const reportsOf = (deployment: Deployment): readonly HostReport[] =>
    script.inspection?.(deployment) ??
    deployment.hosts.map(host => ({
      host: host.name,
      state: 'ready',
      facts: sampleFacts({practice}),
      checks: [...(script.checks ?? []).map(check => ({...check, host: host.name})), ...allChecks(host.name)],
    }));

  const planOf = (deployment: Deployment): readonly PlannedStep[] =>
    steps.flatMap(({id, title, estimate}) =>
      deployment.hosts.map(host => ({
        step: id,
        title,
        host: host.name,
        estimate,
        resources:
          id === 'nfs-server'
            ? []
            : [
                {id: `packages for ${id}`, changes: [{summary: 'install 2 packages', detail: ['one 1.0', 'two 2.0']}]},
                {id: `file /etc/${id}.conf`, changes: [{summary: 'new file, mode 0644'}]},
              ],
        ...(id === 'certificates' && {undecided: 'depends on the key that the host makes'}),
      })),
    );

  const run = async (
    deployment: Deployment,
    {events, ask, control}: RunPorts,
    changing: boolean,
    removes?: string,
  ): Promise<RunResult> => {
    const emit = (event: NewEvent): void => events({...event, at: new Date(now()).toISOString()} as RunEvent);
    let changed = 0;
    let unchanged = 0;
    let failed = 0;
    let left = changing ? (script.failing?.times ?? 0) : 0;
    const finish = (outcome: RunOutcome): RunResult => {
      emit({type: 'run.finished', outcome, changed, unchanged, failed});
      saved = saved.map(each =>
        each.deployment.name === deployment.name
          ? {
              ...each,
              lastRun: {
                run: 'run-1',
                outcome,
                at: new Date(now()).toISOString(),
                ...(removes !== undefined && {removes}),
              },
            }
          : each,
      );
      return {outcome, changed, unchanged, failed};
    };
    emit({
      type: 'run.started',
      run: 'run-1',
      deployment: deployment.name,
      practice,
      resumed: false,
      ...(removes !== undefined && {removes}),
    });
    for (const host of deployment.hosts) emit({type: 'host.connected', host: host.name, address: host.address});
    await pause(pace);
    const planned = planOf(deployment);
    emit({type: 'plan', changes: 13, unchanged: 4, steps: planned});
    for (const each of planned) {
      for (let attempt = 1; ; attempt++) {
        await pause(pace);
        await control.whenRunning();
        if (control.signal.aborted) return finish('stopped');
        const where = {step: each.step, host: each.host};
        emit({type: 'step.started', ...where, attempt});
        for (const resource of changing ? each.resources : []) {
          await control.whenRunning();
          if (control.signal.aborted) break;
          emit({type: 'resource.started', ...where, resource: resource.id, doing: `making ${resource.id}`});
          for (let line = 0; line < (script.logLines ?? 3); line++) {
            emit({type: 'log', ...where, line: `${each.step}: line ${line + 1} of what it prints`});
          }
          await pause(pace);
          if (each.step === script.holdAt) await Promise.race([held.promise, aborted(control.signal)]);
        }
        if (control.signal.aborted) {
          emit({type: 'step.finished', ...where, state: 'stopped', changed: 0, unchanged: 0, seconds: 1});
          return finish('stopped');
        }
        if (script.failing?.step === each.step && left > 0) {
          left--;
          failed = 1;
          const failure = script.failing.failure ?? sampleFailure;
          emit({type: 'step.finished', ...where, state: 'failed', changed: 0, unchanged: 0, seconds: 3, failure});
          const {skipCosts} = script.failing;
          const {choice, by} = await ask(
            {
              kind: 'failed',
              step: each.step,
              title: each.title,
              hosts: [each.host],
              failure,
              choices: ['retry', 'change', ...(skipCosts ? (['skip'] as const) : []), 'stop'],
              ...(skipCosts && {skipCosts}),
            },
            control.signal,
          ).catch(() => ({choice: 'stop', by: 'operator' as const}));
          asked.push(`answer ${choice}`);
          emit({type: 'answer', id: 'q1', answer: choice, by});
          if (choice === 'stop' || choice === 'change') return finish('stopped');
          failed = 0;
          if (choice === 'retry') continue;
          emit({type: 'step.finished', ...where, state: 'skipped', changed: 0, unchanged: 0, seconds: 3});
          break;
        }
        for (const resource of changing ? each.resources : []) {
          emit({type: 'resource.changed', ...where, resource: resource.id, changes: resource.changes});
        }
        emit({
          type: 'verified',
          ...where,
          check: `${each.step}-works`,
          title: `${each.title} does its work`,
          passed: true,
          detail: 'as it should',
        });
        const state: StepState = changing && each.resources.length > 0 ? 'changed' : 'unchanged';
        changed += changing ? each.resources.length : 0;
        unchanged += 1;
        emit({
          type: 'step.finished',
          ...where,
          state,
          changed: changing ? each.resources.length : 0,
          unchanged: 1,
          seconds: 5,
        });
        break;
      }
    }
    if (changing) {
      emit({type: 'handover', path: 'peers/laptop.conf', title: 'WireGuard configuration of laptop', secret: true});
      emit({type: 'handover', path: 'ca.crt', title: 'Certificate of the CA', secret: false});
    }
    return finish('succeeded');
  };

  return {
    asked,
    stored: () => saved,
    release: () => held.resolve(),
    blueprints: [sampleBlueprint],
    practice,
    deployments: () => saved,
    save: one => {
      saved = [...saved.filter(each => each.deployment.name !== one.deployment.name), one];
    },
    remove: name => {
      asked.push(`remove ${name}`);
      saved = saved.filter(each => each.deployment.name !== name);
    },
    firstAnswers: (blueprint, name, topology) => {
      const defaults = blueprint.defaults(name, topology);
      return {...defaults, components: {...defaults.components, kubernetes: kubernetes.parse({})}};
    },
    rename: (from, to) => {
      asked.push(`rename ${from} ${to}`);
      saved = saved.filter(each => each.deployment.name !== from);
      return ok();
    },
    preferences: () => preferences,
    setPreferences: next => {
      preferences = next;
    },
    notices: script.notices ?? [],
    discover: async sources => {
      asked.push(`discover ${sources}`);
      await pause(pace);
      if (sources.includes('nowhere')) return err('"nowhere" is no address, range, subnet or file');
      return ok([{name: 'sandbox-1', address: '10.0.0.11', port: 22, source: sources} satisfies FoundHost]);
    },
    suggestedHosts: async () => [
      {name: 'rp-1', address: '10.0.0.12', port: 2222, user: 'ops', source: practice ? 'practice' : '~/.ssh/config'},
    ],
    hostKeys: async hosts => {
      await pause(pace);
      return hosts.map(host =>
        ok({
          host: host.name,
          knownAs: host.address,
          type: 'ssh-ed25519',
          fingerprint,
          key: 'AAAA',
          status: trusted ? 'known' : 'unknown',
          ...script.hostKey,
        } satisfies HostKeyFinding),
      );
    },
    trust: async findings => {
      asked.push(`trust ${findings.map(finding => finding.host).join(' ')}`);
      trusted = true;
    },
    renameHosts: renamed => asked.push(...renamed.map(({from, to}) => `rename ${from} ${to}`)),
    giveSecrets: (host, secrets) => {
      asked.push(`secrets ${host} ${Object.keys(secrets).join(' ')}`);
    },
    secretNames: async () => [...vault.keys()],
    keepSecret: async (_, name, value) => {
      asked.push(`keep ${name}`);
      vault.set(name, value);
      return ok();
    },
    certificates: madeUpCertificates(asked),
    inspect: async (deployment, onReport, signal) => {
      asked.push('inspect');
      await pause(pace);
      for (const report of reportsOf(deployment)) if (!signal.aborted) onReport(report);
    },
    tryConnections: async () => {
      asked.push('try connections');
    },
    recheck: (_, report) => report,
    problems: ({domain, channels, network, hosts}) => [
      ...(isDomainName(domain)
        ? []
        : [{path: 'domain', message: 'must be a domain name in lower case with at least one dot, like openg2p.test'}]),
      ...(parseCidr(network.privateSubnet).ok
        ? []
        : [
            {
              path: 'network.privateSubnet',
              message: `"${network.privateSubnet}" is not a subnet; write it like 10.0.0.0/24`,
            },
          ]),
      ...channels.flatMap((channel, index) =>
        channel.kind === 'private' && channel.endpoint === ''
          ? [{path: `channels[${index}].endpoint`, message: 'is still empty'}]
          : channel.kind === 'private' && Number.isNaN(channel.port)
            ? [{path: `channels[${index}].port`, message: 'must be a whole number'}]
            : channel.kind === 'private' && channel.subnet === network.privateSubnet
              ? [{path: `channels[${index}].subnet`, message: `${channel.subnet} overlaps the private subnet`}]
              : [],
      ),
      ...(hosts.length === 0 ? [{path: 'hosts', message: 'needs 1 host'}] : []),
    ],
    plan: async (deployment, onReport, signal) => {
      asked.push('plan');
      await pause(pace);
      for (const report of reportsOf(deployment)) if (!signal.aborted) onReport(report);
      return ok({steps: planOf(deployment), changes: 13, unchanged: 4, reports: reportsOf(deployment)});
    },
    run: (deployment, ports) => {
      asked.push(ports.takeOver ? 'run, taking over' : 'run');
      if (script.lockedBy !== undefined && !ports.takeOver) {
        ports.events({
          at: new Date(now()).toISOString(),
          type: 'problem',
          failure: {kind: 'input', message: script.lockedBy},
        });
        return Promise.resolve({outcome: 'failed', changed: 0, unchanged: 0, failed: 1, lockedBy: script.lockedBy});
      }
      return run(deployment, ports, true);
    },
    verify: (deployment, ports) => {
      asked.push('verify');
      return run(deployment, ports, false);
    },
    lookForRemoval: async (_, {scope, purge}) => {
      asked.push(`look for ${scope}`);
      await pause(pace);
      return ok(script.removal?.(purge) ?? []);
    },
    uninstall: (deployment, request, ports) => {
      const {scope, purge} = request;
      asked.push(`uninstall ${scope}${purge.data ? ' with data' : ''}${purge.backups ? ' and backups' : ''}`);
      return run(deployment, ports, true, removedName(request));
    },
    lastRun: () => script.lastRun ?? [],
    folderOf: name => `/home/ops/.local/state/groundwork/${name}`,
    logOf: (name, host) => `/home/ops/.local/state/groundwork/${name}/logs/${host}.log`,
    shellCommand: host => ['ssh', `${host.user}@${host.address}`],
    exportYaml: async (_, path) => {
      asked.push(`export ${path}`);
      return path.startsWith('/nowhere') ? err(`${path} cannot be written`) : ok();
    },
    resolveNames: async names => {
      asked.push(`resolve ${names.join(' ')}`);
      return names.map(name =>
        name.startsWith('rancher.')
          ? {kind: 'addresses', addresses: ['10.9.9.9'], ttl: 300}
          : {kind: 'absent', exists: false},
      );
    },
    saveChecklist: async (_, path) => {
      asked.push(`checklist ${path}`);
      return path.startsWith('/nowhere') ? err(`${path} cannot be written`) : ok();
    },
    importSettings: async paths => {
      asked.push(`import ${paths.join(' and ')}`);
      if (!paths.every(path => path.includes('good'))) return err(`${paths[0]}:3: domain must be a domain name`);
      const deployment = {...sampleBlueprint.defaults('from-file', 'sandbox'), domain: 'site.test'};
      const files = paths.map(path => ({path, kind: 'deployment', title: 'a deployment of Groundwork'}));
      return ok({deployment, files, items: [], notes: [], problems: [], ...script.imported});
    },
  };
};
