import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {environmentSize, moduleTitles, sumOf} from '../source/blueprints/sizes.ts';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import {environmentDomain, modulesInOrder} from '../source/deployment/environments.ts';
import type {Deployment, Environment} from '../source/deployment/schema.ts';
import {EnvironmentEdit} from './environments-edit.tsx';
import {menuHints} from './hints.ts';
import {sizeText} from './size-text.ts';

type View =
  | {readonly kind: 'list'; readonly from?: string}
  /** By place and not by name, which changes while one types it. */
  | {readonly kind: 'edit' | 'remove'; readonly index: number};

export const modulesText = (environment: Environment): string =>
  modulesInOrder(environment)
    .map(id => moduleTitles[id])
    .join(', ') || 'common services only';

/** The environments of the platform: each with a namespace, a domain and services of its own. */
export const EnvironmentsScreen = () => {
  const {wizard} = useProgram();
  const {glyphs} = useTheme();
  const {deployment, problemAt, onward} = useAnswers();
  const {rows: height, readable} = useBody();
  const [view, setView] = useState<View>({kind: 'list'});
  const {environments} = deployment;
  const hasPlatform = deployment.components.kubernetes !== undefined;
  const lead = useLead(
    hasPlatform
      ? 'Each has a namespace, a domain and services of its own. Others can be added to a running platform later.'
      : 'Components says that the ground alone is laid, so there is nothing that an environment could run on.',
  );

  useKeys(
    key => {
      if (key.name !== 'escape') return false;
      setView(view.kind === 'remove' ? {kind: 'edit', index: view.index} : {kind: 'list', ...fromOf(view)});
      return true;
    },
    {active: view.kind !== 'list'},
  );
  const chosen = view.kind === 'list' ? undefined : environments[view.index];

  if (chosen && view.kind === 'remove') {
    return (
      <Frame title={`Remove ${chosen.name}`} hints={menuHints(glyphs)}>
        <Confirm
          word={chosen.name}
          columns={readable}
          onConfirm={() => {
            wizard.change(current => ({
              ...current,
              environments: current.environments.filter((_, at) => at !== view.index),
            }));
            setView({kind: 'list'});
          }}
        >
          {`${chosen.name} (${environmentDomain(deployment, chosen)}) is taken out of the answers. If it is installed, it stays in the cluster as it is: \`groundwork environment remove ${chosen.name}\` takes it away there, after a list of what that erases.`}
        </Confirm>
      </Frame>
    );
  }
  if (chosen && view.kind === 'edit') {
    return (
      <EnvironmentEdit
        index={view.index}
        environment={chosen}
        onDone={() => setView({kind: 'list', ...fromOf(view)})}
        onRemove={() => setView({kind: 'remove', index: view.index})}
      />
    );
  }

  const add = (): void => {
    wizard.change(current => ({...current, environments: [...current.environments, newEnvironment(current)]}));
    setView({kind: 'edit', index: environments.length});
  };
  const rows: Row[] = [
    ...environments.map((environment, index): Row => {
      const {error} = problemAt(`environments[${index}]`);
      return {
        kind: 'action',
        id: `environment-${index}`,
        label: environment.name || '(no name)',
        detail: error ? `! ${error}` : `${environmentDomain(deployment, environment)}   ${modulesText(environment)}`,
        help: `About ${sizeText(environmentSize(environment))}. Enter: name, domain, modules, removal.`,
        onSelect: () => setView({kind: 'edit', index}),
      };
    }),
    ...(environments.length > 0 ? [{kind: 'gap' as const, id: 'gap'}] : []),
    {
      kind: 'action',
      id: 'add',
      label: 'Add an environment',
      detail: environments.length > 0 ? 'another one' : 'such as one to try things out, one for training',
      disabled: hasPlatform ? undefined : 'choose the platform in Components first',
      help: 'A name, a domain below the one of the installation, and the modules of OpenG2P that it is for.',
      onSelect: add,
    },
    ...(environments.length > 1
      ? [
          {
            kind: 'fact' as const,
            id: 'sum',
            label: `All ${counted(environments.length, 'environment')}`,
            value: `about ${sizeText(sumOf(environments.map(environmentSize)))}`,
          },
        ]
      : []),
    {kind: 'gap', id: 'gap-end'},
  ];
  const next = onward(['environments']);
  const first = environments.length > 0 || !hasPlatform ? 'continue' : 'add';
  return (
    <Frame title="Environments" hints={menuHints(glyphs)}>
      {lead.node}
      <Form
        columns={readable}
        height={height - lead.lines}
        rows={[...rows, environments.length === 0 ? {...next, detail: 'without one'} : next]}
        initial={(view.kind === 'list' && view.from) || first}
      />
    </Frame>
  );
};

const fromOf = (view: View): {readonly from?: string} =>
  view.kind === 'list' ? {} : {from: `environment-${view.index}`};

const usualNames = ['dev', 'qa', 'staging', 'training'];

/** One with a name that is not taken. The Registry is what most begin with. */
const newEnvironment = ({environments}: Pick<Deployment, 'environments'>): Environment => {
  const taken = new Set(environments.map(({name}) => name));
  const numbered = Array.from({length: environments.length + 1}, (_, index) => `env${index + 1}`);
  const name = [...usualNames, ...numbered].find(candidate => !taken.has(candidate)) ?? 'env';
  return {name, modules: ['registry'], hostnames: {}, members: []};
};
