import type {ModuleId} from '../../source/deployment/environments.ts';
import type {Environment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {inEnvironment, isDeployed, releaseOf, valuesContext} from './commons.ts';
import {moduleCharts, stepId} from './names.ts';
import {approverPassword, generated} from './passwords.ts';
import {bridgeValues, type ChartValues, pbmsValues, registryValues, sparValues, type ValuesContext} from './values.ts';

type ModuleStep = {
  readonly why: string;
  /** Seconds. */
  readonly estimate: number;
  readonly values: (context: ValuesContext) => ChartValues;
  readonly secrets?: (environment: Environment) => readonly string[];
};

const moduleSteps: Readonly<Record<ModuleId, ModuleStep>> = {
  registry: {
    why: 'Keeps people, households and what is known of them, with forms, approval and an interface for partners.',
    estimate: 300,
    values: registryValues,
    secrets: environment => [approverPassword(environment)],
  },
  spar: {
    why: 'Knows to which account a person is to be paid.',
    estimate: 120,
    values: sparValues,
  },
  pbms: {
    why: 'Manages programmes, who takes part in them and who is entitled to what.',
    estimate: 300,
    values: pbmsValues,
  },
  'g2p-bridge': {
    why: 'Carries payments to banks and follows what becomes of them.',
    estimate: 180,
    values: bridgeValues,
  },
};

export const moduleStep = (environment: Environment, id: ModuleId, after: readonly Step[]): Step => {
  const {release, chart, title} = moduleCharts[id];
  const {why, estimate, values, secrets} = moduleSteps[id];
  return step({
    ...inEnvironment,
    id: stepId(environment, id),
    title: `${environment.name}: ${title}`,
    why,
    after,
    estimate,
    secrets: () => generated(...(secrets?.(environment) ?? [])),
    resources: context => [
      releaseOf(context, environment, {release, chart}, values(valuesContext(context, environment))),
    ],
    verify: () => [isDeployed(environment, release)],
    skippable: `${environment.name} has no ${title} until this step has run.`,
  });
};
