import type {SavedDeployment} from '../../source/deployment/store.ts';
import {key, type Stage} from './frames.ts';
import {sampleBlueprint} from './services.ts';

const {down, enter} = key;

/** A deployment whose questions are all answered. */
export const answered = (more: Partial<SavedDeployment> = {}): SavedDeployment => {
  const deployment = sampleBlueprint.defaults('sandbox', 'sandbox');
  return {
    practice: false,
    updatedAt: '2026-11-20T10:00:00.000Z',
    route: 'review',
    deployment: {
      ...deployment,
      hosts: [
        {
          name: 'sandbox-1',
          reach: 'ssh',
          address: '10.0.0.11',
          port: 22,
          user: 'ubuntu',
          roles: ['base', 'proxy'],
          privateAddress: '10.0.0.11',
        },
      ],
      channels: deployment.channels.map(channel => ({...channel, endpoint: '10.0.0.11'})),
    },
    ...more,
  };
};

type Visit = (screen: string) => void | Promise<void>;

/** Walks from Home to the end of a run as an operator would, by the keys; `visit` is called on every screen. */
export const walkThrough = async (stage: Stage, visit: Visit): Promise<void> => {
  await stage.waitFor('New installation');
  await visit('home');
  await stage.press(enter);
  await stage.waitFor('Blueprint and topology');
  await visit('topology');
  await stage.press(enter);
  await stage.waitFor(/ Hosts/);
  await visit('hosts-empty');
  await stage.press(enter);
  await stage.waitFor('Known already');
  await visit('hosts-add');
  // Up first: who practises finds the focus on the practice host.
  await stage.press(key.up.repeat(4), `10.0.0.11${enter}`, enter);
  await stage.waitFor('Found: 1 host');
  await visit('hosts-found');
  await stage.press(enter);
  await stage.waitFor('not looked at yet');
  await visit('hosts-unseen');
  await stage.press(enter);
  await stage.waitFor('SHA256:');
  await visit('hosts-keys');
  await stage.press(`yes${enter}${enter}`);
  // The focus goes to the host that needs it when all have been looked at.
  await stage.waitFor(/▸ sandbox-1 .*check failed/);
  await visit('hosts-seen');
  await stage.press(key.home, ...Array.from({length: 6}, () => key.up), enter);
  await stage.waitFor('Facts and checks');
  await visit('hosts-menu');
  await stage.press(enter);
  await stage.waitFor('must be put right');
  await visit('hosts-checks');
  await stage.press('a');
  await stage.waitFor('Type "memory"');
  await visit('hosts-accept');
  await stage.press(`memory${enter}${enter}`);
  await stage.waitFor('Nothing stands in the way');
  await stage.press(key.escape);
  await stage.waitFor('Login');
  await stage.press(`${down}${enter}`);
  await stage.waitFor('Passphrase');
  await visit('hosts-login');
  await stage.press(key.escape, `${down}${down}${enter}`);
  await stage.waitFor('Private address');
  await visit('hosts-edit');
  await stage.press(key.escape, key.escape);
  await stage.waitFor('Check the hosts');
  await stage.press(down.repeat(5), enter);
  await stage.waitFor('Domain and TLS');
  await visit('domain');
  await stage.press(down.repeat(5), enter);
  await stage.waitFor(/ Channels/);
  await visit('channels');
  await stage.press(down.repeat(10));
  await stage.waitFor(/[▸>] Continue/);
  await visit('channels-end');
  await stage.press(enter);
  await stage.waitFor(/ Components/);
  await visit('components');
  await stage.press(key.up.repeat(3), down.repeat(6), enter);
  await stage.waitFor('Alerts by Slack');
  await stage.press(`${key.right}${down}mail.site.example`);
  await stage.waitFor('mail.site.example');
  await visit('components-alerts');
  await stage.press(key.up, `${key.left}${key.escape}`);
  await stage.waitFor(/7 . Components\n/);
  await stage.press(`${down}${enter}`);
  await stage.waitFor(/7 . Downloads\n/);
  await stage.press(key.right);
  await stage.waitFor('from a mirror');
  await visit('components-artifacts');
  await stage.press(`${key.left}${key.escape}`);
  await stage.waitFor(/7 . Components\n/);
  await stage.press(`${down}${enter}`);
  await stage.waitFor('Time servers');
  await visit('components-ground');
  await stage.press(key.escape);
  await stage.waitFor(/7 . Components\n/);
  await stage.press(`${down}${enter}`);
  await stage.waitFor(/7 . Environments\n/);
  await visit('environments-empty');
  await stage.press(enter);
  await stage.waitFor('Environment dev');
  await stage.press(down.repeat(5), key.right);
  await stage.waitFor(/PBMS +. yes/);
  await visit('environments-edit');
  await stage.press(down.repeat(6), enter);
  await stage.waitFor('Type "dev"');
  await visit('environments-remove');
  await stage.press(key.escape, key.escape);
  await stage.waitFor('Registry, PBMS');
  await visit('environments');
  await stage.press(down.repeat(3), enter);
  await stage.waitFor('13 changes');
  await visit('review');
  await stage.press(enter);
  await stage.waitFor('What will be changed');
  await stage.press(`${down}${enter}${down}${enter}`);
  await stage.waitFor('file /etc/host-baseline.conf');
  await visit('review-plan');
  await stage.press(key.escape, down.repeat(3), enter);
  await stage.waitFor('Type "install"');
  await visit('review-install');
  await stage.press(`install${enter}${enter}`);
  await stage.waitFor('A step failed');
  await visit('run-failed');
  await stage.press(enter);
  await stage.waitFor(/is installed/);
  await visit('done');
  await stage.press(enter);
  await stage.waitFor('https://grafana.openg2p.test');
  await visit('done-access');
  await stage.press(key.escape);
  await stage.waitFor(/is installed/);
  await stage.press(`${down}${enter}`);
  await stage.waitFor(/Connect a device\n/);
  await visit('done-devices');
  await stage.press(key.escape);
  await stage.waitFor(/is installed/);
  await stage.press(`${down}${down}${enter}`);
  await stage.waitFor(/Trust its certificates\n/);
  await visit('done-trust');
  await stage.press(key.escape);
  await stage.waitFor(/is installed/);
  await stage.press(key.f1);
  await stage.waitFor('Everywhere');
  await visit('keys');
  await stage.press('x');
  await stage.waitFor(/is installed/);
};
