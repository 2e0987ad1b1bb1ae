import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Deployment} from '../../source/deployment/schema.ts';
import {looksLikeSecretName} from '../../source/deployment/secrets-in-text.ts';
import {problemsOf} from '../../source/deployment/validate.ts';
import {fromYaml, printProblem, toYaml, withLines} from '../../source/deployment/yaml.ts';
import {deploymentFiles, deploymentText, finished, sandboxBlueprint} from '../support/deployments.ts';

/** What an operator is told about a file: by the schema, and if that is content, across fields. */
const told = (text: string): string[] => {
  const result = fromYaml(text);
  return (result.ok ? withLines(text, problemsOf(result.value, [sandboxBlueprint])) : result.error).map(printProblem);
};

const read = (text: string): Deployment => {
  const result = fromYaml(text);
  if (!result.ok) throw new Error(result.error.map(printProblem).join('\n'));
  return result.value;
};

describe('a good deployment file', () => {
  it.each([...deploymentFiles('good'), 'sandbox.yaml'])('%s is read without a word', name => {
    expect(told(deploymentText(name))).toEqual([]);
  });

  it('gets every default that it leaves out', () => {
    expect(read(deploymentText('good/least.yaml'))).toMatchObject({
      hosts: [{reach: 'ssh', port: 22, user: 'ubuntu'}],
      tls: {leafDays: 397, renewDays: 60},
      channels: [{port: 51820, tunnel: 'split', peers: []}],
      network: {pods: '10.42.0.0/16', services: '10.43.0.0/16'},
      components: {
        nfs: {server: 'auto', exportPath: '/srv/nfs'},
        nginx: {maxBodyMb: 100},
        automaticUpdates: 'security',
      },
      environments: [],
      acceptedChecks: [],
    });
  });

  it('has its addresses brought into their canonical form', () => {
    expect(read(deploymentText('good/local-with-two-vpns.yaml'))).toMatchObject({
      network: {adminSources: ['192.168.0.0/16', 'fc00::/7']},
      components: {dns: {upstreams: ['192.168.7.1', '2001:db8::53']}},
    });
  });

  it('may come from Windows, with a mark at its beginning', () => {
    const text = `\uFEFF${deploymentText('good/least.yaml').replaceAll('\n', '\r\n')}`;
    expect(read(text)).toEqual(read(deploymentText('good/least.yaml')));
  });

  it('shows every setting in the documented example', () => {
    const keys = (value: unknown): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => [key, ...keys(inner)])
        : [];
    const example = deploymentText('sandbox.yaml');
    const settings = keys(read(deploymentText('good/least.yaml'))).filter(key => Number.isNaN(Number(key)));
    expect(settings.filter(key => !new RegExp(`\\b${key}:`).test(example))).toEqual([]);
  });
});

describe('a bad deployment file', () => {
  it.each(deploymentFiles('bad'))('%s is refused by line, with the reasons that stand at its end', name => {
    const text = deploymentText(name);
    const expected = [...text.matchAll(/^# expect: (.*)$/gm)].map(([, line]) => line);
    expect(expected).not.toEqual([]);
    expect(told(text)).toEqual(expected);
  });

  it('is told with the column, too', () => {
    const result = fromYaml(deploymentText('bad/wrong-address.yaml'));
    expect(result).toMatchObject({ok: false, error: [{line: 9, column: 21, path: 'hosts[0].privateAddress'}]});
  });

  it('never has its secrets quoted', () => {
    const result = JSON.stringify(fromYaml(deploymentText('bad/secrets.yaml')));
    for (const secret of ['hunter2', 'hunter3', 'aGVsbG8gd29ybGQ=', 'b3BlbnNzaC1rZXktdjEA']) {
      expect(result).not.toContain(secret);
    }
  });

  it('has nothing in its report that could move the cursor', () => {
    const unit = fc.constantFrom(...'\0\x07\b\t\n\r\x1b\x7f\x9b\u200b\u202e\u2028\ufeffa[2J"');
    fc.assert(
      fc.property(fc.string({unit, maxLength: 20}), text => {
        const quoted = JSON.stringify(text);
        const result = fromYaml(deploymentText('good/least.yaml').replace('vpn.example.org', () => quoted));
        const printed = result.ok ? '' : result.error.map(printProblem).join('');
        expect(printed).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
  });

  it('that is larger than any deployment is not even looked at', () => {
    expect(told(`# ${'x'.repeat(262_144)}`)).toEqual([
      'line 1: the file is larger than 256 KiB; that is no deployment',
    ]);
  });

  it.each(['[', 'a: {', '- '])('that nests %j without end is refused', piece => {
    expect(told(piece.repeat(20_000))).toEqual(['line 1: it is nested too deeply; that is no deployment']);
  });

  it('of any text at all is refused in words', () => {
    const line = fc.oneof(
      fc.string({maxLength: 20}),
      fc.constantFrom(
        'hosts:',
        '- a',
        '  - b: *c',
        '&a',
        '? [x]',
        '!!map',
        '<<: *a',
        'version: 1',
        '%YAML 1.1',
        '__proto__: 1',
      ),
    );
    fc.assert(
      fc.property(fc.array(line, {maxLength: 8}), lines => {
        const result = fromYaml(lines.join('\n'));
        expect(result.ok).toBe(false);
        expect(result.ok ? [] : result.error).not.toEqual([]);
      }),
      {numRuns: 500},
    );
  });
});

describe('a setting that looks like a secret', () => {
  it.each([
    'password',
    'rootPassword',
    'sudo_password',
    'passphrase',
    'privateKey',
    'PRIVATE_KEY',
    'preshared-key',
    'token',
    'rke2_token',
    'apiKey',
    'clientSecret',
    'db-password-admin',
    'psk',
  ])('%s is one', name => expect(looksLikeSecretName(name)).toBe(true));

  it('is none that a deployment has', () => {
    const names = [...deploymentText('sandbox.yaml').matchAll(/^[\s-]*(\w+):/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter(looksLikeSecretName)).toEqual([]);
  });
});

describe('writing a deployment', () => {
  it('and reading it again changes nothing', () => {
    for (const name of [...deploymentFiles('good'), 'sandbox.yaml']) {
      const deployment = read(deploymentText(name));
      expect(read(toYaml(deployment))).toEqual(deployment);
    }
  });

  it('keeps every text, however YAML would read it without quotes', () => {
    const text = fc.oneof(
      fc.string({unit: fc.constantFrom(...'ab :#-?*&!|>\'"%@`{}[],\\~'), minLength: 1, maxLength: 20}),
      fc.constantFrom('yes', 'null', '12', '0x1f', '1e3', '~', '2026-01-01', '- a', ' a ', '# a'),
    );
    fc.assert(
      fc.property(text, path => {
        const deployment = finished(draft => {
          draft.hosts = draft.hosts.map(host => ({...host, identityFile: path}));
        });
        expect(read(toYaml(deployment))).toEqual(deployment);
      }),
    );
  });

  it('gives the same text whatever order its settings came in', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, inner]) => [key, reversed(inner)]),
            )
          : value;
    const deployment = read(deploymentText('sandbox.yaml'));
    expect(toYaml(reversed(deployment) as Deployment)).toBe(toYaml(deployment));
  });

  it('says at its head what it is, and keeps hosts readable', () => {
    const text = toYaml(finished());
    expect(text).toMatch(/^# A deployment of Groundwork: everything that it installs, and no secret\.\n/);
    expect(text).toContain('  - name: sandbox-1\n    reach: ssh\n    address: 10.0.0.11\n');
  });

  it('leaves out whatever is no setting, such as what somebody hung on to it', () => {
    const deployment = finished();
    const [host] = deployment.hosts;
    const text = toYaml({...deployment, hosts: [{...host!, ...{password: 'hunter2'}}], ...{token: 'hunter3'}});
    expect(text).not.toMatch(/hunter/);
    expect(read(text)).toEqual(deployment);
  });

  it('works for one that is not finished', () => {
    const text = toYaml(finished(draft => (draft.domain = '')));
    expect(told(text)).toEqual([expect.stringMatching(/^line \d+: domain: is still empty$/)]);
  });
});
