import {describe, expect, it} from 'vitest';
import {accessLines, entranceLines} from '../../source/app/access.ts';
import {kubernetes} from '../../source/deployment/schema.ts';
import {anEnvironment} from '../support/deployments.ts';
import {answered} from '../support/walk.ts';

const ground = answered().deployment;
const whole = {
  ...ground,
  components: {...ground.components, kubernetes: kubernetes.parse({})},
  environments: [anEnvironment({name: 'dev', modules: ['registry']})],
};
const real = {practice: false, folderOf: (name: string) => `/home/ops/groundwork/state/${name}`};

describe('how one gets in', () => {
  it('is told with addresses, users and where the first passwords are, and with no password', () => {
    const lines = accessLines(real, whole);
    expect(lines).toContain('Rancher    https://rancher.openg2p.test');
    expect(lines).toContain('           groundwork secrets show sandbox rancher-bootstrap-password');
    expect(lines).toContain('           groundwork secrets show sandbox grafana-admin-password');
    expect(lines).toContain('  Registry       https://registry.dev.openg2p.test');
    expect(lines).toContain('  First logins   environments/dev.txt');
    expect(lines).toContain('  /home/ops/groundwork/state/sandbox');
  });

  it('begins with the page of the platform and of each environment', () => {
    expect(entranceLines(whole)).toEqual([
      'Rancher        https://rancher.openg2p.test',
      'dev            https://staff-portal.dev.openg2p.test',
    ]);
  });

  it('leaves out what was not chosen', () => {
    const bare = kubernetes.parse({
      rancher: {enabled: false},
      monitoring: {enabled: false},
      logging: {enabled: false},
    });
    const lines = accessLines(real, {...whole, components: {...ground.components, kubernetes: bare}, environments: []});
    expect(lines).toEqual([]);
  });

  it('says nothing on the ground alone, whatever environments are in the answers', () => {
    expect(accessLines(real, {...ground, environments: whole.environments})).toEqual([]);
    expect(entranceLines({...ground, environments: whole.environments})).toEqual([]);
  });

  it('says on practice hosts where practice keeps its files', () => {
    expect(accessLines({...real, practice: true}, whole)).toContain('  export GROUNDWORK_HOME=/home/ops/groundwork');
  });
});
