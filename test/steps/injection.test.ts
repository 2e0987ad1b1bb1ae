import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Deployment, kubernetes, postgresql} from '../../source/deployment/schema.ts';
import type {Step} from '../../source/engine/step.ts';
import {ok} from '../../source/result.ts';
import type {PartOutput} from '../../source/shell/frame.ts';
import {steps} from '../../steps/index.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleFacts} from '../support/facts.ts';
import {unquotedPlaces} from '../support/shell-quoting.ts';
import {atSite, contextFor, memoryVault, sampleDeployment} from '../support/step-context.ts';

type Path = readonly (string | number)[];

/** Every text of a document, by its path. */
const texts = (value: unknown, path: Path = []): readonly Path[] => {
  if (typeof value === 'string') return [path];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) =>
    texts(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
};

const withText = (value: unknown, [first, ...rest]: Path, text: string): unknown => {
  if (first === undefined) return text;
  if (Array.isArray(value)) return value.map((item, index) => (index === first ? withText(item, rest, text) : item));
  return {...(value as object), [first]: withText((value as Record<string, unknown>)[first], rest, text)};
};

/** As full as a deployment can be, so that every field is there to be poisoned. */
const full = sampleDeployment({
  environments: [anEnvironment({name: 'qa', domain: 'qa.openg2p.test'})],
  acceptedChecks: ['sandbox-1:memory'],
  hosts: [
    {
      name: 'sandbox-1',
      reach: 'ssh',
      address: '203.0.113.10',
      port: 22,
      user: 'ubuntu',
      identityFile: '/home/op/.ssh/id',
      jump: {address: 'jump.example.org', port: 22, user: 'op', identityFile: '/home/op/.ssh/jump'},
      roles: ['base', 'proxy', 'compute', 'storage'],
      privateAddress: '10.0.0.11',
    },
  ],
  components: {
    timeServers: ['ntp.example.org'],
    dns: {server: 'own', upstreams: ['9.9.9.9']},
    nfs: {server: 'auto', exportPath: '/srv/nfs'},
    nginx: {maxBodyMb: 100},
    automaticUpdates: 'security',
    postgresql: postgresql.parse({packages: 'pgdg'}),
    kubernetes: kubernetes.parse({
      cis: true,
      registry: {address: 'https://registry.example.org', user: 'puller', authorityFile: '/etc/ssl/registry.pem'},
    }),
  },
});

const outputs: readonly PartOutput[] = [
  {code: 0, stdout: '', stderr: ''},
  {code: 1, stdout: 'missing\n', stderr: ''},
  {code: 0, stdout: 'x\nmissing\n', stderr: ''},
];

/** What a call gives, or nothing when it refuses: a text that is refused is as harmless as one that is quoted. */
const unlessRefused = <Value>(call: () => readonly Value[]): readonly Value[] => {
  try {
    return call();
  } catch {
    return [];
  }
};

/** Every script that a step would send to a host: probes, verifications, and what the resources apply. */
const scriptsOf = async (step: Step, deployment: Deployment, vault: Map<string, string>): Promise<string[]> => {
  const context = await contextFor(step, {
    deployment: step.awaits ? atSite(deployment) : deployment,
    vault: new Map(vault),
    products: {'wireguard.admin.public-key': `${'A'.repeat(43)}=`},
  });
  const resources = unlessRefused(() => step.resources(context));
  const found = [
    ...resources.map(({probe}) => probe),
    ...unlessRefused(() => step.awaits?.(context) ?? []).map(({script}) => script),
    ...unlessRefused(() => step.verify(context)).map(v => v.script),
  ];
  for (const resource of resources) {
    for (const output of outputs) {
      const assessed = resource.assess(output);
      await (assessed.ok ? assessed.value.apply : undefined)?.({
        now: () => context.now,
        tell: () => {},
        send: async () => ({ok: true, value: undefined}),
        run: async script => {
          found.push(script);
          return ok({code: 0, stdout: '', stderr: '', truncated: false});
        },
      });
    }
  }
  return found.map(({text}) => text);
};

/** Pieces that do something wherever a shell takes them as its own; `canary` is a program that leaves a mark. */
const piece = fc.constantFrom(
  '$(canary)',
  '`canary`',
  ';canary;',
  '\ncanary\n',
  "'canary'",
  "';canary;'",
  '"$(canary)"',
  '&canary&',
  '|canary',
  '\\',
  '*',
  ' ',
  '#',
  'a',
);
const nasty = fc.array(piece, {minLength: 1, maxLength: 4}).map(pieces => `$(canary)${pieces.join('')}'`);

const fields = texts(full);

describe('a text of the deployment that means something to a shell', () => {
  let vault: Map<string, string>;
  let folder: string;

  beforeAll(async () => {
    vault = new Map();
    for (const step of steps) await memoryVault(step, full, vault);
    folder = mkdtempSync(join(tmpdir(), 'groundwork-canary-'));
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/canary'), `#!/bin/sh\necho sang >>'${folder}/mark'\n`, {mode: 0o755});
    // Loops that wait for a host which is not there end at once.
    writeFileSync(join(folder, 'bin/sleep'), '#!/bin/sh\nkill -9 "$PPID"\n', {mode: 0o755});
  });

  afterAll(() => rmSync(folder, {recursive: true}));

  /** In bash's restricted mode, where no file can be written, with no program to be found but these two. */
  const sings = (scripts: readonly string[]): boolean => {
    // A loop that finds no program to wait with is ended by the kernel, in whichever child it runs.
    const script = ['ulimit -t 2', ...scripts.map(text => `(\n${text}\n)`)].join('\n');
    spawnSync('/bin/bash', ['--restricted', '-s'], {
      input: script,
      env: {PATH: join(folder, 'bin')},
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: 15_000,
    });
    return existsSync(join(folder, 'mark'));
  };

  it('is never run, in whichever field it stands and whatever it is', async () => {
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...fields), nasty, async (path, text) => {
        const poisoned = withText(full, path, text) as Deployment;
        const scripts = (await Promise.all(steps.map(step => scriptsOf(step, poisoned, vault)))).flat();
        const carriers = scripts.filter(script => script.includes('canary'));
        reached += carriers.length;
        expect(sings(carriers)).toBe(false);
        for (const script of carriers)
          expect(spawnSync('/bin/bash', ['-n'], {input: script, encoding: 'utf8'}).stderr).toBe('');
      }),
      {numRuns: 60},
    );
    expect(reached).toBeGreaterThan(0);
  });

  it('stands inside single quotes wherever it gets into a script', async () => {
    const text = 'x$(canary)x';
    const carried: string[] = [];
    for (const path of fields) {
      const poisoned = withText(full, path, text) as Deployment;
      for (const step of steps) {
        for (const script of await scriptsOf(step, poisoned, vault)) {
          expect(unquotedPlaces(script, text)).toEqual([]);
          if (script.includes(text)) carried.push(path.join('.'));
        }
      }
    }
    expect(carried).toContain('domain');
    expect(carried).toContain('hosts.0.privateAddress');
  });

  it('sings where a script is put together by hand, so that the silence above means something', () => {
    expect(sings(['echo $(canary)'])).toBe(true);
    rmSync(join(folder, 'mark'));
    expect(unquotedPlaces('echo "x$(canary)x"', 'x$(canary)x')).toEqual([6]);
    expect(unquotedPlaces("echo 'x$(canary)x'", 'x$(canary)x')).toEqual([]);
  });
});

describe('what a host says of itself', () => {
  it('reaches no script as code either', async () => {
    const text = "x$(canary)'x";
    const facts = sampleFacts({
      hostname: text,
      nameservers: [text],
      virtualisation: text,
      seenFrom: text,
      time: {...sampleFacts().time, service: text},
    });
    for (const step of steps) {
      const context = await contextFor(step, {deployment: full, facts});
      for (const {probe} of unlessRefused(() => step.resources(context)))
        expect(spawnSync('/bin/bash', ['-n'], {input: probe.text, encoding: 'utf8'}).stderr).toBe('');
    }
  });
});

describe('the scripts of an ordinary deployment', () => {
  it('are all shell that bash can read', async () => {
    const vault = new Map<string, string>();
    for (const step of steps.filter(each => each.enabled?.(full) !== false)) {
      await memoryVault(step, full, vault);
      const scripts = new Set(await scriptsOf(step, full, vault));
      expect(scripts.size).toBeGreaterThan(step.awaits ? 0 : 2);
      for (const script of scripts)
        expect(spawnSync('/bin/bash', ['-n'], {input: script, encoding: 'utf8'}).stderr).toBe('');
    }
  });
});
