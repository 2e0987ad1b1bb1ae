import {describe, expect, it} from 'vitest';
import {exportPath, ganeshaConfiguration, kernelExports} from '../../steps/nfs-server/exports.ts';
import {sampleDeployment} from '../support/step-context.ts';

describe('the export', () => {
  it('is a directory of the deployment’s own', () => {
    expect(exportPath(sampleDeployment())).toBe('/srv/nfs/demo');
    const deployment = sampleDeployment();
    const slashed = {...deployment.components, nfs: {...deployment.components.nfs, exportPath: '/data/nfs/'}};
    expect(exportPath({...deployment, components: slashed})).toBe('/data/nfs/demo');
  });

  it('is open to the private subnet alone, from privileged ports', () => {
    const text = kernelExports(sampleDeployment());
    expect(text).toContain('/srv/nfs/demo 10.0.0.0/24(rw,sync,no_subtree_check,no_root_squash,sec=sys)\n');
    expect(text).not.toMatch(/\*|insecure/);
  });

  it('is the same in the user-space server: closed by default, open to the private subnet', () => {
    const text = ganeshaConfiguration(sampleDeployment());
    expect(text).toContain('Access_Type = None;');
    expect(text).toContain('Clients = 10.0.0.0/24;\n    Access_Type = RW;');
    expect(text).toContain('Pseudo = /srv/nfs/demo;');
  });
});
