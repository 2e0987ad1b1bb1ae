import {artifactOf} from '../../source/artifacts/for-step.ts';
import {step} from '../../source/engine/step.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {hostBaseline} from '../host-baseline/host-baseline.ts';
import {prints} from '../shared/checks.ts';
import {hasKubernetes, roles} from '../shared/deployment.ts';
import {programOf, toolInstalled, tools} from './tools.ts';

export const kubernetesTools = step({
  id: 'kubernetes-tools',
  title: 'Tools for Kubernetes',
  why: 'Puts kubectl and helm on the machine from which the cluster is worked on.',
  role: roles.compute,
  once: true,
  after: [hostBaseline],
  estimate: 20,
  enabled: hasKubernetes,
  removal: {resources: () => [withdrawn(tools.map(programOf))]},
  resources: context => tools.flatMap(tool => [artifact(context, tool.id), toolInstalled(context, tool)]),
  verify: context =>
    tools.map(tool => {
      const {version} = artifactOf(tool.id, context);
      return prints(
        {id: tool.id, title: `${tool.id} is version ${version}`, script: tool.version(programOf(tool))},
        version,
      );
    }),
  remedies: [
    {
      id: 'tools-architecture',
      match: /exec format error|cannot execute binary file/i,
      cause: 'The program was made for another kind of processor than the host has.',
      remedy: 'Fill the mirror or folder of artifacts for this architecture (`uname -m` on the host), then retry.',
    },
    {
      id: 'tools-version',
      match: /what was downloaded as .* says that it is/,
      cause: 'The mirror or the folder of artifacts has another version under this name.',
      remedy: 'Fill it anew with `groundwork artifacts pull`, then retry.',
    },
    {
      id: 'tools-disk',
      match: /no space left on device/i,
      cause: 'A file system of the host is full.',
      remedy: 'Find out which one (`df -h /usr/local /var/lib/groundwork`), make room, then retry.',
    },
  ],
});
