import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useWizard} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import type {Wizard} from '../source/app/wizard.ts';
import {partSizes, partsOf} from '../source/blueprints/sizes.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {type Deployment, type Kubernetes, kubernetes as kubernetesSchema} from '../source/deployment/schema.ts';
import {ComponentsArtifacts} from './components-artifacts.tsx';
import {backupText, ComponentsBackup, hasBackups} from './components-backup.tsx';
import {ComponentsGround} from './components-ground.tsx';
import {alertsText, ComponentsObservability} from './components-observability.tsx';
import {cisRow, platformRows, versionsRow} from './components-platform.ts';
import {sumRows} from './components-sizes.ts';
import {wizardHints} from './hints.ts';
import {sizeAside, sizeHead} from './size-text.ts';

type Answers = ReturnType<typeof useAnswers>;

type View = 'parts' | 'observability' | 'artifacts' | 'backup' | 'ground';

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
  const {services, wizard} = useProgram();
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
  if (view === 'backup') return <ComponentsBackup onDone={close} />;
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
    ...(hasBackups(services, deployment)
      ? [opening('backup', 'Backups', backupText(deployment), open, below(['components.backup']))]
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
