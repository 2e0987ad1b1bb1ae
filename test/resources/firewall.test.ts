import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {Failure} from '../../source/engine/failure.ts';
import {
  type Firewall,
  type FirewallRule,
  firewall,
  firewallActions,
  readFirewall,
} from '../../source/resources/firewall.ts';
import type {ApplyOptions, ApplyPort} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {projectRoot} from '../support/terminal.ts';

const recorded = (name: string) => readFileSync(join(projectRoot, 'fixtures/ufw', `${name}.txt`), 'utf8');

const ssh: FirewallRule = {
  action: 'allow',
  direction: 'in',
  protocol: 'tcp',
  port: 22,
  from: '10.0.0.0/8',
  comment: 'SSH',
};
const web: FirewallRule = {action: 'allow', direction: 'in', protocol: 'tcp', port: 443, comment: 'web'};
const vpn: FirewallRule = {
  action: 'allow',
  direction: 'route',
  from: '10.15.0.0/16',
  to: '10.0.0.0/8',
  interfaceIn: 'wg0',
  interfaceOut: 'eth0',
  comment: 'fw',
};

const actions = (stdout: string, options: Firewall) => {
  const state = readFirewall(stdout);
  if (!state.ok) throw new Error(state.error);
  return firewallActions(state.value, options);
};
const commands = (stdout: string, options: Firewall) => actions(stdout, options).map(({command}) => command.text);
const summaries = (stdout: string, options: Firewall) => actions(stdout, options).map(({summary}) => summary);
const output = (stdout: string) => ({code: 0, stdout, stderr: ''});

describe('a firewall that was never set', () => {
  test('gets every rule before it is turned on', () => {
    expect(commands(recorded('fresh'), {rules: [ssh, vpn]})).toEqual([
      "ufw allow from 10.0.0.0/8 to 0.0.0.0/0 port 22 proto tcp comment 'groundwork SSH'",
      "ufw route allow in on wg0 out on eth0 from 10.15.0.0/16 to 10.0.0.0/8 comment 'groundwork fw'",
      'ufw --force enable',
    ]);
  });

  test('opens to anywhere for both families', () => {
    expect(summaries(recorded('fresh'), {rules: [web]})).toEqual([
      'allow tcp 443 from anywhere (web)',
      'allow tcp 443 from anywhere (IPv6) (web)',
      'turn the firewall on',
    ]);
  });

  test('can be planned before ufw is installed', () => {
    expect(summaries(recorded('not-installed'), {rules: [ssh]})).toEqual([
      'filter IPv6 too',
      'allow tcp 22 from 10.0.0.0/8 (SSH)',
      'incoming: deny what no rule names',
      'outgoing: allow what no rule names',
      'routed: deny what no rule names',
      'turn the firewall on',
    ]);
  });

  test('leaves IPv6 out where the kernel has none, because ufw cannot start with it there', () => {
    const stdout = recorded('fresh').replace('ipv6\n', '');
    expect(commands(stdout, {rules: [web]})).toEqual([
      "sed -i -e 's/^IPV6=.*/IPV6=no/' /etc/default/ufw",
      "ufw allow from 0.0.0.0/0 to 0.0.0.0/0 port 443 proto tcp comment 'groundwork web'",
      'ufw --force enable',
    ]);
  });
});

describe('a firewall with rules of ours and of others', () => {
  const stdout = recorded('foreign-and-ours');

  test('gets what is missing and loses what is ours and no longer wanted; nothing else', () => {
    expect(commands(stdout, {rules: [ssh, vpn, web]})).toEqual([
      "ufw allow from 0.0.0.0/0 to 0.0.0.0/0 port 443 proto tcp comment 'groundwork web'",
      "ufw allow from ::/0 to ::/0 port 443 proto tcp comment 'groundwork web'",
      'ufw delete allow from 0.0.0.0/0 to 0.0.0.0/0 port 30000:32767 proto tcp',
      'ufw route delete allow in on wg0 from 0.0.0.0/0 to 0.0.0.0/0',
      'ufw delete allow from 10.94.0.1 to 10.94.0.11 port 80,443 proto tcp',
      'ufw delete limit from ::/0 to ::/0 port 22 proto tcp',
    ]);
  });

  test("does not take over somebody else's rule that says the same", () => {
    const said = summaries(stdout, {rules: [{...web, port: 8080}]});
    expect(said.filter(summary => summary.includes('8080'))).toEqual([]);
  });

  test("does not replace somebody else's refusal of the same packets, and says so", () => {
    const resource = firewall({rules: [{...ssh, from: 'any'}]});
    expect(resource.assess(output(stdout))).toEqual(
      err(
        'ufw has the rule "deny tcp 22 from anywhere", which is not ours and contradicts ' +
          '"allow tcp 22 from anywhere (SSH)"; delete one of the two',
      ),
    );
  });

  test('has its policies set when they differ', () => {
    const open = stdout.replace('DEFAULT_INPUT_POLICY="DROP"', 'DEFAULT_INPUT_POLICY="ACCEPT"');
    expect(commands(open, {rules: [ssh]})).toContain('ufw default deny incoming');
  });

  test('begins to filter IPv6 when it did not', () => {
    const off = stdout.replace('IPV6=yes', 'IPV6=no');
    expect(commands(off, {rules: [ssh]}).at(0)).toBe("sed -i -e 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw");
    expect(commands(off, {rules: [ssh]}).at(-1)).toBe('ufw reload');
  });
});

describe('the way of the installer itself', () => {
  const fresh = recorded('fresh');
  const guard = (from: string, any = '0.0.0.0/0') =>
    `ufw prepend allow from ${from} to ${any} port 22 proto tcp comment 'groundwork connection of the installer'`;

  test('is opened first, in front of everything, when no rule does', () => {
    expect(commands(fresh, {rules: [web], seenFrom: '203.0.113.9', sshPort: 22})[0]).toBe(guard('203.0.113.9'));
    expect(commands(fresh, {rules: [ssh], seenFrom: '2001:db8::9', sshPort: 22})[0]).toBe(guard('2001:db8::9', '::/0'));
    expect(commands(fresh, {rules: [web], seenFrom: '::ffff:203.0.113.9', sshPort: 22})[0]).toBe(guard('203.0.113.9'));
  });

  test.each<[string, FirewallRule]>([
    ['another port', {...ssh, port: 2222}],
    ['UDP', {...ssh, protocol: 'udp'}],
    ['a limit of attempts', {...ssh, action: 'limit'}],
    ['one interface', {...ssh, interfaceIn: 'eth1'}],
    ['one of the addresses of the host', {...ssh, to: '10.0.0.5'}],
    ['forwarding', {...ssh, direction: 'route'}],
  ])('is not thought open because of a rule for %s', (_, rule) => {
    expect(commands(fresh, {rules: [rule], seenFrom: '10.1.2.3', sshPort: 22})[0]).toBe(guard('10.1.2.3'));
  });

  test.each<[string, FirewallRule]>([
    ['its subnet', ssh],
    ['everybody', {...ssh, from: 'any'}],
    ['a range of ports', {...ssh, port: '20:25'}],
    ['everything of its subnet', {action: 'allow', direction: 'in', from: '10.0.0.0/8', comment: 'private'}],
    ['its address', {...ssh, from: '10.1.2.3'}],
  ])('needs no rule of its own beside one for %s', (_, rule) => {
    expect(commands(fresh, {rules: [rule], seenFrom: '10.1.2.3', sshPort: 22}).join()).not.toContain('installer');
  });

  test('from another place than last time is no change of a firewall that is as it should be', () => {
    const settled = `=== settings
ENABLED=yes
IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
=== rules
### tuple ### allow tcp 22 0.0.0.0/0 any 203.0.113.9 in comment=${Buffer.from('groundwork connection of the installer').toString('hex')}
### tuple ### allow tcp 22 0.0.0.0/0 any 10.0.0.0/8 in comment=${Buffer.from('groundwork SSH').toString('hex')}
=== now
installed
Status: active
ipv6
`;
    expect(commands(settled, {rules: [ssh], seenFrom: '198.51.100.7', sshPort: 22})).toEqual([]);
    expect(
      commands(settled, {rules: [ssh, {...web, from: '10.0.0.0/8'}], seenFrom: '198.51.100.7', sshPort: 22}),
    ).toEqual([
      guard('198.51.100.7'),
      "ufw allow from 10.0.0.0/8 to 0.0.0.0/0 port 443 proto tcp comment 'groundwork web'",
      'ufw delete allow from 203.0.113.9 to 0.0.0.0/0 port 22 proto tcp',
    ]);
  });
});

describe('applying a firewall', () => {
  const options: Firewall = {rules: [ssh], seenFrom: '10.1.2.3', sshPort: 22, confirmWithin: 30};
  const lost: Failure = {kind: 'timeout', message: 'no answer'};

  const applied = async (answer: (script: string, options: ApplyOptions) => Awaited<ReturnType<ApplyPort['run']>>) => {
    const ran: {readonly script: string; readonly fresh: boolean}[] = [];
    const assessed = firewall(options).assess(output(recorded('fresh')));
    if (!assessed.ok) throw new Error(assessed.error);
    const result = await assessed.value.apply?.({
      now: () => new Date(0),
      tell: () => {},
      send: async () => ({ok: true, value: undefined}),
      run: async ({text}, given = {}) => {
        ran.push({script: text, fresh: given.fresh ?? false});
        return answer(text, given);
      },
    });
    return {ran, result};
  };
  const fine = ok({code: 0, stdout: '', stderr: '', truncated: false});

  test('sets the timer before it changes anything, and confirms over a new connection', async () => {
    const {ran, result} = await applied(() => fine);
    expect(result?.ok).toBe(true);
    expect(ran.map(({fresh}) => fresh)).toEqual([false, true]);
    const first = ran[0]?.script ?? '';
    expect(first.indexOf('systemd-run')).toBeGreaterThan(0);
    expect(first.indexOf('systemd-run')).toBeLessThan(first.indexOf('change ufw allow'));
  });

  test('does not confirm what was not done', async () => {
    const {ran} = await applied(() => err(lost));
    expect(ran).toHaveLength(1);
  });

  test('says that the host goes back by itself when no new connection comes through', async () => {
    const {ran, result} = await applied((_, {fresh}) => (fresh ? err(lost) : fine));
    expect(ran.map(({fresh}) => fresh)).toEqual([false, true, true]);
    expect(result).toMatchObject({
      ok: false,
      error: {
        kind: 'verification',
        message: expect.stringMatching(/No new connection .* puts the former one back within 36 s/),
      },
    });
  });

  test('of an earlier run that nobody confirmed is confirmed', () => {
    const settled = recorded('foreign-and-ours').replace('Status: active', 'Status: active\nunconfirmed');
    const rules = [ssh];
    const state = readFirewall(settled);
    const ours = state.ok ? firewallActions({...state.value, rules: []}, {rules}) : [];
    expect(ours).toHaveLength(1);
    const assessed = firewall({rules}).assess(output(settled.replace(/^### tuple ### (?!allow tcp 22).*\n/gm, '')));
    expect(assessed.ok && assessed.value.changes).toEqual([
      {summary: 'confirm an earlier change, which the host would undo'},
    ]);
  });
});

describe('a rule that cannot be one', () => {
  test.each<[string, Partial<FirewallRule>]>([
    ['a port that is none', {port: '22; reboot'}],
    ['a range without a protocol', {port: '1:2', protocol: undefined}],
    ['an address that is none', {from: '10.0.0.300'}],
    ['addresses of both families', {to: 'fd00::1'}],
    ['an interface that is none', {interfaceIn: 'eth0 to any'}],
    ['a way out for what stays', {interfaceOut: 'eth0'}],
    ['a comment that ufw refuses', {comment: "it's"}],
    ['the comment of the installer', {comment: 'connection of the installer'}],
  ])('because of %s is a bug of its step', (_, wrong) => {
    expect(() => firewall({rules: [{...ssh, ...wrong} as FirewallRule]})).toThrow();
  });
});
