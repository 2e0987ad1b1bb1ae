import {describe, expect, it} from 'vitest';
import {phasesOf} from '../../screens/run-phases.tsx';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {phaseOf} from '../../source/blueprints/phases.ts';
import {rowsInSight} from '../../source/components/table.tsx';
import {anEnvironment} from '../support/deployments.ts';

describe('the phases of a run', () => {
  it('are the ground, the cluster, the platform, the backups, and each environment by its name', () => {
    const ids = [...openg2p.steps, ...(openg2p.environmentSteps?.(anEnvironment({name: 'qa'})) ?? [])].map(
      ({id}) => id,
    );
    expect([...new Set(ids.map(phaseOf))]).toEqual(['Ground', 'Cluster', 'Platform', 'Backups', 'qa']);
  });

  it('say how many of their steps are done, and whether one failed', () => {
    expect(
      phasesOf([
        {step: 'firewall', state: 'changed'},
        {step: 'nginx', state: 'unchanged'},
        {step: 'rke2', state: 'failed'},
        {step: 'istio', state: 'blocked'},
        {step: 'environment-dev-namespace', state: 'pending'},
      ]),
    ).toEqual([
      {title: 'Ground', steps: 2, settled: 2, failed: false},
      {title: 'Cluster', steps: 2, settled: 0, failed: true},
      {title: 'dev', steps: 1, settled: 0, failed: false},
    ]);
  });
});

describe('the rows of a table that are in sight', () => {
  it('are around the chosen one, and all of the room is used at both ends', () => {
    expect(rowsInSight(25, 8, 0)).toEqual({first: 0, room: 8});
    expect(rowsInSight(25, 8, 12)).toEqual({first: 8, room: 8});
    expect(rowsInSight(25, 8, 24)).toEqual({first: 17, room: 8});
    expect(rowsInSight(3, 8, 2)).toEqual({first: 0, room: 8});
  });
});
