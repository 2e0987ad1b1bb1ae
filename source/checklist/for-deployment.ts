import {blueprintById, topologyById} from '../blueprints/index.ts';
import type {Deployment} from '../deployment/schema.ts';
import {err, ok, type Result} from '../result.ts';
import {checklistOf} from './checklist.ts';
import {type ChecklistFormat, renderChecklist} from './render.ts';

/** The checklist of a deployment, finished or not; an error for one of a blueprint or topology that there is not. */
export const checklistFor = (deployment: Deployment, format: ChecklistFormat): Result<string, string> => {
  const blueprint = blueprintById(deployment.blueprint);
  const topology = blueprint && topologyById(blueprint, deployment.topology);
  return topology
    ? ok(renderChecklist(checklistOf(deployment, topology), format))
    : err(`there is no topology "${deployment.topology}" of "${deployment.blueprint}"`);
};
