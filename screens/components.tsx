import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useWizard} from '../source/app/program.tsx';
import type {HostReport} from '../source/app/services.ts';
import {useTheme} from '../source/app/theme.tsx';
import type {Wizard} from '../source/app/wizard.ts';
import type {Size} from '../source/blueprints/blueprint.ts';
import {loggingSizes, monitoringSizes, type Part, partSizes, partsOf, sumOf} from '../source/blueprints/sizes.ts';
import {versionProblems, versionSetOf, versionSets} from '../source/blueprints/versions.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {type Deployment, type Kubernetes, kubernetes as kubernetesSchema} from '../source/deployment/schema.ts';
import {ComponentsArtifacts} from './components-artifacts.tsx';
import {ComponentsGround} from './components-ground.tsx';
import {alertsText, ComponentsObservability} from './components-observability.tsx';
import {wizardHints} from './hints.ts';
import {sizeAside, sizeHead} from './size-text.ts';
import {withKubernetes} from './with-kubernetes.ts';

type Answers = ReturnType<typeof useAnswers>;

type View = 'parts' | 'observability' | 'artifacts' | 'ground';

/** The settings of the platform are kept while the ground alone is wanted, so that going back loses none. */
const switchPlatform = (wizard: Wizard, wanted: boolean): void => {
  const path = 'components.kubernetes';
  wizard.change(current => {
    const {kubernetes, ...ground} = current.components;
    if (wanted) {
      const again = kubernetes ?? wizard.takeUp<Kubernetes>(path) ?? kubernetesSchema.parse({});
      return {...current, components: {...ground, kubernetes: again}};
    }
    if (kubernetes) wizard.setAside(path, kubernetes);
    return {...current, components: ground};
  });
};

/** What is installed, and what each part of it takes of the machine. Every setting has a default that suits most. */
export const ComponentsScreen = () => {
  const {wizard} = useProgram();
  const {reports} = useWizard();
  const {glyphs} = useTheme();
  const answers = useAnswers();
  const {deployment, onward} = answers;
  const {rows: height, readable} = useBody();
  const [view, setView] = useState<View>('parts');
  const [from, setFrom] = useState('platform');
  const close = (): void => setView('parts');
  useKeys(
    key => {
      if (key.name !== 'escape') return false;
      close();
      return true;
    },
    {active: view !== 'parts'},
  );
  if (view === 'observability') return <ComponentsObservability onDone={close} />;
  if (view === 'artifacts') return <ComponentsArtifacts onDone={close} />;
  if (view === 'ground') return <ComponentsGround onDone={close} />;

  const open = (next: View): void => {
    setFrom(next);
    setView(next);
  };
  const {kubernetes} = deployment.components;
  const parts = partsOf(deployment);
  const below = (paths: readonly string[]): string | undefined =>
    paths.map(path => answers.problemAt(path).error).find(error => error !== undefined);
  const rows: Row[] = [
    {kind: 'heading', id: 'head', label: 'What is installed', aside: sizeHead},
    platformRow(answers, wizard),
    ...(kubernetes ? platformRows(answers, kubernetes) : []),
    ...sumRows(deployment, parts, reports),
    ...(kubernetes
      ? [
          versionsRow(answers, kubernetes),
          cisRow(answers, kubernetes),
          opening(
            'observability',
            'Alerts and logs',
            alertsText(kubernetes),
            open,
            below(['components.kubernetes.monitoring', 'components.kubernetes.logging']),
          ),
          opening(
            'artifacts',
            'Downloads',
            artifactsText(deployment),
            open,
            below(['artifacts', 'components.kubernetes.registry']),
          ),
        ]
      : []),
    opening(
      'ground',
      'Ground settings',
      'time, DNS, NFS, uploads, updates',
      open,
      below(['components.timeServers', 'components.dns', 'components.nfs', 'components.nginx']),
    ),
  ];
  return (
    <Frame title="Components" hints={wizardHints(glyphs)}>
      <Form
        columns={readable}
        height={height}
        rows={[...rows, onward(['components', 'artifacts'], rows)]}
        initial={from}
      />
    </Frame>
  );
};

const opening = (
  id: Exclude<View, 'parts'>,
  label: string,
  detail: string,
  open: (view: View) => void,
  error: string | undefined,
): Row => ({
  kind: 'action',
  id,
  label,
  detail: error === undefined ? detail : `! ${error}`,
  help: 'Enter opens it.',
  onSelect: () => open(id),
});

const artifactsText = ({artifacts}: Deployment): string => {
  const proxy = artifacts.proxy ? ` through ${artifacts.proxy.address}` : '';
  switch (artifacts.source) {
    case 'mirror':
      return `from ${artifacts.address || 'a mirror'}${proxy}`;
    case 'directory':
      return `carried in: ${artifacts.path || 'a folder'}`;
    default:
      return `from their publishers${proxy}`;
  }
};

const platformRow = ({deployment, choice}: Answers, wizard: Wizard): Row => {
  const {kubernetes} = deployment.components;
  return {
    ...choice({
      path: 'platform',
      label: 'Kubernetes',
      value: kubernetes ? 'yes' : 'no',
      set: current => current,
      options: [
        {
          value: 'yes',
          label: 'RKE2 with Istio',
          help: 'A cluster on the machines with the role compute, with storage on the NFS share. OpenG2P needs it.',
        },
        {
          value: 'no',
          label: 'no, ground only',
          help: 'The ground alone is laid. The platform can be added later: what is answered here is kept.',
        },
      ],
    }),
    onChange: value => switchPlatform(wizard, value === 'yes'),
    aside: sizeAside(partSizes.kubernetes, kubernetes !== undefined),
  };
};

const scales = [
  {value: 'small', label: 'small', help: 'For one machine of the size of the sandbox.'},
  {value: 'medium', label: 'medium', help: 'For a production platform with an environment or two.'},
  {value: 'large', label: 'large', help: 'For several environments with much traffic, or long looks back.'},
] as const;

type Scale = (typeof scales)[number]['value'];

/** Rancher, monitoring and logging; then the environments, which the next screen asks for. */
const platformRows = ({deployment, choice, problemAt}: Answers, kubernetes: Kubernetes): readonly Row[] => {
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

/** What all of it takes, and below it what the machines have; what is not enough is said in words. */
const sumRows = (
  {hosts}: Deployment,
  parts: readonly Part[],
  reports: Readonly<Record<string, HostReport>>,
): readonly Row[] => {
  const sum = sumOf(parts.map(({size}) => size));
  const computing = hosts.filter(({roles}) => roles.includes('compute'));
  return [
    {kind: 'fact', id: 'sum', label: 'All of it, about', value: 'with the ground', aside: sizeAside(sum)},
    ...(computing.length > 0 ? computing : hosts).map((host): Row => {
      const has = sizeOfHost(reports[host.name]);
      const label = `${host.name} has`;
      if (!has) return {kind: 'fact', id: `has-${host.name}`, label, value: 'not looked at in this session'};
      const short = shortOf(sum, has);
      return {
        kind: 'fact',
        id: `has-${host.name}`,
        label,
        value: short === '' ? '' : `! too little ${short}`,
        aside: sizeAside(has),
      };
    }),
  ];
};

const gibi = 1024 ** 3;

const sizeOfHost = (report: HostReport | undefined): Size | undefined => {
  if (report?.state !== 'ready') return undefined;
  const {cpus, memoryBytes, mounts} = report.facts;
  const root = mounts.find(({path}) => path === '/');
  return {
    cpus,
    memoryGb: Math.round(memoryBytes / gibi),
    diskGb: Math.round((root?.bytes ?? 0) / 1e9),
  };
};

const shortOf = (needed: Size, has: Size): string =>
  [
    ...(needed.cpus > has.cpus ? ['CPU'] : []),
    ...(needed.memoryGb > has.memoryGb ? ['memory'] : []),
    ...(needed.diskGb > has.diskGb ? ['disk'] : []),
  ].join(', ');

const versionsRow = ({choice}: Answers, kubernetes: Kubernetes): Row => {
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

const cisRow = ({choice}: Answers, kubernetes: Kubernetes): Row =>
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
