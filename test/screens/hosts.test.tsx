import {describe, expect, test, vi} from 'vitest';
import type {Failure} from '../../source/engine/failure.ts';
import {sampleFacts} from '../support/facts.ts';
import {key, openStage, type Stage} from '../support/frames.ts';
import {type MadeUp, madeUpServices, type Script, smallMemory} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter, escape: escapeKey} = key;

const hostsScreen = async (script: Script = {}, hosts = true): Promise<{stage: Stage; services: MadeUp}> => {
  const saved = answered({route: 'hosts'});
  const services = madeUpServices({
    saved: [hosts ? saved : {...saved, deployment: {...saved.deployment, hosts: []}}],
    ...script,
  });
  const stage = openStage(services, {app: {deployment: 'sandbox'}});
  await stage.waitFor('Step 2 of 7');
  return {stage, services};
};

const leave = async (stage: Stage): Promise<void> => {
  await stage.press(key.ctrlC);
  await stage.ended;
};

const wrongPassword: Failure = {
  kind: 'authentication',
  message: 'ubuntu@10.0.0.11 was not let in.',
  host: 'sandbox-1',
  attempted: 'logging in with the keys of the agent: none',
  cause: 'The server allows: publickey, password.',
  remedy: 'Give a password, or a key that it knows.',
};

describe('hosts', () => {
  test('are found where the operator says, or the mistake is told', async () => {
    const {stage, services} = await hostsScreen({}, false);
    await stage.press(enter);
    await stage.waitFor('Known already');
    await stage.press(`nowhere${enter}${enter}`);
    await stage.waitFor('! "nowhere" is no address, range, subnet or file');
    await stage.press(`\u001510.0.0.11-12${enter}${enter}`);
    await stage.waitFor('Found: 1 host');
    await stage.press(enter);
    await stage.waitFor('ubuntu@10.0.0.11');
    expect(services.asked).toEqual(['discover nowhere', 'discover 10.0.0.11-12']);
    expect(services.stored()[0]?.deployment.hosts[0]).toMatchObject({name: 'sandbox-1', roles: ['base', 'proxy']});
    await leave(stage);
  });

  test('are offered from the settings of OpenSSH, with their user and port', async () => {
    const {stage, services} = await hostsScreen({}, false);
    await stage.press(enter);
    await stage.waitFor('from ~/.ssh/config');
    await stage.press(`${down}${down}${enter}`);
    await stage.waitFor('ops@10.0.0.12:2222');
    expect(services.stored()[0]?.deployment.hosts[0]).toMatchObject({name: 'rp-1', user: 'ops', port: 2222});
    await leave(stage);
  });

  test('may be the machine itself', async () => {
    const {stage, services} = await hostsScreen({}, false);
    await stage.press(`${down}${enter}`);
    await stage.waitFor(/sandbox-1 +this machine/);
    expect(services.stored()[0]?.deployment.hosts[0]).toMatchObject({reach: 'local'});
    await leave(stage);
  });

  test('get nothing before their keys have been accepted by a word', async () => {
    const {stage, services} = await hostsScreen();
    await stage.press(enter);
    await stage.waitFor('SHA256:');
    await stage.press(enter, enter);
    expect(services.asked).toEqual([]);
    await stage.press(`${key.up}yes${enter}${enter}`);
    await stage.waitFor('ready; Ubuntu 24.04.3 LTS');
    expect(services.asked).toEqual(['trust sandbox-1', 'inspect']);
    await leave(stage);
  });

  test('with a key that changed are refused, whatever one types, and both fingerprints are shown', async () => {
    const {stage, services} = await hostsScreen({
      hostKey: {status: 'changed', fingerprint: 'SHA256:newnewnew', expected: 'SHA256:oldoldold'},
    });
    await stage.press(enter);
    const shown = await stage.waitFor('CHANGED');
    expect(shown).toContain('SHA256:newnewnew');
    expect(shown).toContain('SHA256:oldoldold');
    expect(shown).toContain("ssh-keygen -R '10.0.0.11'");
    expect(shown).not.toContain('Type "yes"');
    await stage.press('yes', enter);
    await stage.waitFor('Check the hosts');
    expect(services.asked).toEqual([]);
    await leave(stage);
  });

  test('that do not let one in ask for what is missing, and keep it from the screen', async () => {
    let given = false;
    const {stage, services} = await hostsScreen({
      hostKey: {status: 'known'},
      inspection: () => [
        given
          ? {host: 'sandbox-1', state: 'ready', facts: sampleFacts(), checks: []}
          : {host: 'sandbox-1', state: 'failed', failure: wrongPassword},
      ],
    });
    await stage.press(enter);
    await stage.waitFor('cannot be used');
    await stage.waitFor('ubuntu@10.0.0.11 was not let in. Give a password');
    await stage.press(key.up.repeat(6), enter);
    await stage.waitFor('logging in with the keys of the agent: none');
    await stage.press(enter);
    await stage.waitFor('Passphrase of the key');
    given = true;
    await stage.press('pa55 wörd');
    await stage.waitFor('*********');
    await stage.press(`${down.repeat(5)}${enter}`);
    await stage.waitFor('ready; Ubuntu 24.04.3 LTS');
    expect(services.asked).toContain('secrets sandbox-1 password');
    expect(stage.bytes()).not.toContain('pa55');
    expect(JSON.stringify(services.stored())).not.toContain('pa55');
    await leave(stage);
  });

  test('with a failed check bar nothing once it was accepted by its name', async () => {
    const {stage, services} = await hostsScreen({hostKey: {status: 'known'}, checks: [smallMemory]});
    await stage.press(enter);
    await stage.waitFor('1 check failed');
    await stage.press(key.up.repeat(6), enter);
    await stage.waitFor('Facts and checks');
    await stage.press(enter);
    await stage.waitFor(/▸ Memory +FAILED/);
    await stage.press('a');
    await stage.waitFor('Type "memory"');
    await stage.press(escapeKey);
    await stage.waitFor(/▸ Memory +FAILED/);
    await stage.press('a', `memory${enter}${enter}`);
    await stage.waitFor(/▸ Memory +accepted/);
    expect(services.stored()[0]?.deployment.acceptedChecks).toEqual(['sandbox-1:memory']);
    await leave(stage);
  });

  test('whose failed check cannot be accepted say so', async () => {
    const {stage} = await hostsScreen({
      hostKey: {status: 'known'},
      checks: [{...smallMemory, id: 'arch', title: 'Architecture', acceptable: false}],
    });
    await stage.press(enter);
    await stage.waitFor('1 check failed');
    await stage.press(enter);
    await stage.waitFor('Facts and checks');
    await stage.press(enter);
    await stage.waitFor('It cannot be accepted');
    await stage.press('a');
    expect(stage.text()).not.toContain('Type "arch"');
    await leave(stage);
  });

  test('that are looked at put right what was only guessed: subnet, private address, endpoint', async () => {
    const saved = answered({route: 'hosts'});
    const {stage, services} = await hostsScreen({
      hostKey: {status: 'known'},
      saved: [
        {
          ...saved,
          deployment: {
            ...saved.deployment,
            hosts: saved.deployment.hosts.map(host => ({
              ...host,
              address: '203.0.113.7',
              privateAddress: '203.0.113.7',
            })),
            channels: saved.deployment.channels.map(channel => ({...channel, endpoint: ''})),
          },
        },
      ],
    });
    await stage.press(enter);
    await stage.waitFor('ready; Ubuntu');
    await vi.waitFor(() =>
      expect(services.stored()[0]?.deployment).toMatchObject({
        hosts: [{privateAddress: '10.0.0.11'}],
        channels: [{endpoint: '203.0.113.7'}],
        network: {privateSubnet: '10.0.0.0/24'},
      }),
    );
    await leave(stage);
  });

  test('are renamed and removed by name', async () => {
    const {stage, services} = await hostsScreen();
    await stage.press(key.up.repeat(6), enter);
    await stage.waitFor('Settings');
    await stage.press(`${down}${enter}`);
    await stage.waitFor('Private address');
    await stage.press('\u0015No');
    await stage.waitFor('! lower-case letters');
    await stage.press(`\u0015box-1${down.repeat(5)}`, enter);
    await stage.waitFor('Host box-1');
    expect(services.stored()[0]?.deployment.hosts[0]?.name).toBe('box-1');
    await stage.press(down, enter);
    await stage.waitFor('Type "box-1"');
    await stage.press(`box-1${enter}${enter}`);
    await stage.waitFor('1 host still to add');
    expect(services.stored()[0]?.deployment.hosts).toEqual([]);
    await leave(stage);
  });
});
