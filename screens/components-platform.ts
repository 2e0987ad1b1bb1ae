import type {useAnswers} from '../source/app/answers.ts';
import type {Size} from '../source/blueprints/blueprint.ts';
import {loggingSizes, monitoringSizes, partSizes, partsOf, sumOf} from '../source/blueprints/sizes.ts';
import {versionProblems, versionSetOf, versionSets} from '../source/blueprints/versions.ts';
import type {Row} from '../source/components/row.ts';
import type {Kubernetes} from '../source/deployment/schema.ts';
import {sizeAside} from './size-text.ts';
import {withKubernetes} from './with-kubernetes.ts';

type Answers = ReturnType<typeof useAnswers>;

const scales = [
  {value: 'small', label: 'small', help: 'For one machine of the size of the sandbox.'},
  {value: 'medium', label: 'medium', help: 'For a production platform with an environment or two.'},
  {value: 'large', label: 'large', help: 'For several environments with much traffic, or long looks back.'},
] as const;

type Scale = (typeof scales)[number]['value'];

/** Rancher, monitoring and logging; then the environments, which the next screen asks for. */
export const platformRows = ({deployment, choice, problemAt}: Answers, kubernetes: Kubernetes): readonly Row[] => {
  const {rancher} = kubernetes;
  const {environments} = deployment;
  const scaled = (
    part: 'monitoring' | 'logging',
    label: string,
    does: string,
    sizes: Readonly<Record<Scale, Size>>,
  ): Row => {
    const now = kubernetes[part];
    return {
      ...choice({
        path: `components.kubernetes.${part}`,
        label,
        value: now.enabled ? now.size : 'no',
        set: (current, value) =>
          withKubernetes(current, each => ({
            ...each,
            [part]: {...each[part], enabled: value !== 'no', ...(value !== 'no' && {size: value})},
          })),
        options: [
          {value: 'no', label: 'no', help: does},
          ...scales.map(scale => ({...scale, help: `${does} ${scale.help}`})),
        ] as const,
      }),
      ...problemAt(`components.kubernetes.${part}.enabled`),
      aside: sizeAside(sizes[now.size], now.enabled),
    };
  };
  const sum = sumOf(
    partsOf(deployment)
      .filter(({id}) => id.startsWith('environment-'))
      .map(({size}) => size),
  );
  return [
    {
      ...choice({
        path: 'components.kubernetes.rancher.enabled',
        label: 'Rancher',
        value: rancher.enabled ? 'yes' : 'no',
        set: (current, value) =>
          withKubernetes(current, each => ({...each, rancher: {...each.rancher, enabled: value === 'yes'}})),
        options: [
          {value: 'yes', label: 'yes', help: 'The cluster in a browser: who may do what, what runs, what is wrong.'},
          {value: 'no', label: 'no', help: 'The cluster is worked with by kubectl only.'},
        ],
      }),
      aside: sizeAside(partSizes.rancher, rancher.enabled),
    },
    scaled('monitoring', 'Monitoring', 'Prometheus, Grafana, alerts.', monitoringSizes),
    scaled('logging', 'Logging', 'All log lines in one place, without personal data.', loggingSizes),
    {
      kind: 'fact',
      id: 'environments',
      label: 'Environments',
      value: environments.map(({name}) => name).join(', ') || 'the next screen',
      ...(environments.length > 0 && {aside: sizeAside(sum)}),
    },
  ];
};

/** Only sets that go together are offered; one that a file names and that does not is refused with the reason. */
export const versionsRow = ({choice}: Answers, kubernetes: Kubernetes): Row => {
  const [tested] = versionSets;
  const chosen = versionSetOf(kubernetes.versions);
  const problem = chosen ? versionProblems(chosen)[0]?.reason : `there is no set "${kubernetes.versions}"`;
  return {
    ...choice({
      path: 'components.kubernetes.versions',
      label: 'Versions',
      value: kubernetes.versions,
      set: (current, versions) => withKubernetes(current, each => ({...each, versions})),
      help: 'Versions that go together and were tried together.',
      options: [
        {value: 'default', label: tested?.title ?? 'default'},
        ...versionSets.slice(1).map(({id, title}) => ({value: id, label: title})),
        // What a file names stays to be seen, so that one knows what one changes.
        ...(kubernetes.versions === 'default' || versionSets.slice(1).some(({id}) => id === kubernetes.versions)
          ? []
          : [{value: kubernetes.versions, label: chosen?.title ?? kubernetes.versions}]),
      ],
    }),
    ...(problem !== undefined && {error: problem}),
  };
};

export const cisRow = ({choice}: Answers, kubernetes: Kubernetes): Row =>
  choice({
    path: 'components.kubernetes.cis',
    label: 'CIS profile',
    value: kubernetes.cis ? 'on' : 'off',
    set: (current, value) => withKubernetes(current, each => ({...each, cis: value === 'on'})),
    options: [
      {value: 'off', label: 'off', help: 'What Kubernetes allows by itself.'},
      {
        value: 'on',
        label: 'on',
        help: 'RKE2 as the CIS benchmark wants it: stricter rules for the kernel, for pods and for what may talk to what.',
      },
    ],
  });
