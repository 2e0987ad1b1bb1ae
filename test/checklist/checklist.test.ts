import {describe, expect, it} from 'vitest';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {checklistFor} from '../../source/checklist/for-deployment.ts';
import {widthOf} from '../../source/components/text.ts';
import {type Deployment, environment, kubernetes, publicAcknowledgement} from '../../source/deployment/schema.ts';
import {openings} from '../../steps/firewall/openings.ts';
import {inRules} from '../../steps/firewall/rules.ts';

/** The smallest production as its defaults are, with the platform. */
const bare = (more: Partial<Deployment> = {}): Deployment => {
  const defaults = openg2p.defaults('prod', 'production-minimum');
  return {
    ...defaults,
    domain: 'openg2p.example.org',
    ...more,
    components: {...defaults.components, kubernetes: kubernetes.parse({})},
  };
};

const machine = (name: string, number: number, ...roles: string[]): Deployment['hosts'][number] => ({
  name,
  reach: 'ssh',
  address: `192.0.2.${number}`,
  port: 22,
  user: 'ubuntu',
  roles: ['base', ...roles],
  privateAddress: `10.0.0.${number}`,
});

const hosts = [
  machine('rp', 5, 'proxy'),
  machine('k8s', 6, 'compute'),
  machine('db', 7, 'storage'),
  machine('bak', 8, 'backup'),
];

const text = (deployment: Deployment): string => {
  const rendered = checklistFor(deployment, 'text');
  if (!rendered.ok) throw new Error(rendered.error);
  return rendered.value;
};

describe('the checklist', () => {
  it('can be made before anything is known, and leaves blank what is not', () => {
    const shown = text(bare());
    expect(shown).toMatch(/\[ \] compute-1 +16 +64 GB +128 GB +_{12} +compute/);
    expect(shown).toMatch(/\[ \] rancher\.openg2p\.example\.org +A +_{12} +internal/);
    expect(shown).toMatch(/NAME\.openg2p\.example\.org and\s\*\.NAME\.openg2p\.example\.org/);
    expect(shown).toMatch(/backup-1 has a volume of 1000 GB/);
  });

  it('is filled with what is known', () => {
    const shown = text(
      bare({
        hosts,
        environments: [environment.parse({name: 'qa'})],
        channels: [
          ...bare().channels,
          {name: 'web', kind: 'public', acknowledgement: publicAcknowledgement, address: '198.51.100.7'},
        ],
      }),
    );
    expect(shown).toMatch(/\[ \] rp +2 +4 GB +64 GB +10\.0\.0\.5 +reverse proxy/);
    expect(shown).toMatch(/\[ \] rancher\.openg2p\.example\.org +A +10\.0\.0\.5 +internal/);
    expect(shown).toMatch(/\[ \] \*\.qa\.openg2p\.example\.org +A +198\.51\.100\.7 +public/);
    expect(shown).toMatch(/\[ \] everybody +rp +80, 443\/tcp +web +perimeter/);
    expect(shown).toMatch(/\[ \] rp +k8s +30080\/tcp/);
  });

  it('fits 80 columns and breaks no name', () => {
    const shown = text(bare({domain: 'registry.ministry-of-social-affairs.example.org', hosts}));
    expect(shown).toContain('rancher.registry.ministry-of-social-affairs.example.org');
    for (const line of text(bare({hosts})).split('\n')) expect(widthOf(line), line).toBeLessThanOrEqual(80);
  });

  it('is Markdown in which a wildcard is no emphasis', () => {
    const rendered = checklistFor(bare({hosts, environments: [environment.parse({name: 'qa'})]}), 'markdown');
    expect(rendered.ok && rendered.value).toContain('| ☐ | \\*.qa.openg2p.example.org | A | 10.0.0.5 | internal |');
    expect(rendered.ok && rendered.value).toContain('## 6. Firewall openings (network department)');
  });

  it('shows no control sequence of an answer', () => {
    expect(text(bare({hosts: [machine('rp\u001b[2J', 5, 'proxy'), ...hosts.slice(1)]}))).not.toContain('\u001b');
  });
});

describe('firewall openings', () => {
  const deployment = bare({hosts});

  it('say nothing that the hosts’ own firewalls would not let in', () => {
    for (const {to, ports, protocol, from} of openings(deployment, hosts)) {
      for (const name of to) {
        const host = hosts.find(each => each.name === name);
        if (!host) throw new Error(name);
        const allowed = inRules(deployment, host, 22).map(rule => `${rule.from} ${rule.port}/${rule.protocol}`);
        for (const port of ports) {
          for (const source of from) {
            const address = hosts.find(each => each.name === source)?.privateAddress ?? source;
            expect(allowed).toContain(`${address === 'everybody' ? 'any' : address} ${port}/${protocol}`);
          }
        }
      }
    }
  });

  it('open nothing of the web to everybody without a public channel', () => {
    const everybody = openings(deployment, hosts).filter(({from}) => from.includes('everybody'));
    expect(everybody.map(({purpose}) => purpose)).toEqual(['WireGuard']);
  });
});
