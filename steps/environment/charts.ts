import {chart} from '../../source/artifacts/for-step.ts';
import {modulesInOrder} from '../../source/deployment/environments.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {step} from '../../source/engine/step.ts';
import {kubeEnvironment} from '../../source/kubernetes/access.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {kubernetesTools} from '../kubernetes-tools/kubernetes-tools.ts';
import {rke2} from '../rke2/rke2.ts';
import {exitsZero} from '../shared/checks.ts';
import {hasKubernetes, roles} from '../shared/deployment.ts';
import {chartId, commonsCharts, moduleCharts} from './names.ts';
import {environmentRemedies} from './remedies.ts';

/** Charts of all environments together, each once. */
const chartsOf = ({environments}: Pick<Deployment, 'environments'>): readonly string[] => [
  ...new Set([
    commonsCharts.base,
    commonsCharts.services,
    ...environments.flatMap(environment => modulesInOrder(environment).map(id => moduleCharts[id].chart)),
  ]),
];

/** Fetched once for all environments, since they lie on the host and not in a namespace. */
export const openg2pCharts = step({
  id: 'openg2p-charts',
  title: 'OpenG2P charts',
  why: 'Fetches what the environments are installed from, and makes sure that it is what was released.',
  role: roles.compute,
  once: true,
  after: [kubernetesTools],
  estimate: 15,
  enabled: deployment => hasKubernetes(deployment) && deployment.environments.length > 0,
  removal: {goesWith: rke2},
  resources: context => chartsOf(context.deployment).map(name => artifact(context, chartId(name))),
  verify: context =>
    chartsOf(context.deployment).map(name => {
      const {path, version} = chart(context, chartId(name));
      return exitsZero({
        id: name,
        title: `helm reads ${name} ${version}`,
        script: lines(kubeEnvironment, sh`helm show chart ${path} | grep -Fx ${`version: ${version}`}`),
      });
    }),
  remedies: environmentRemedies,
});
