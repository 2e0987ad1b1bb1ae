import {useAnswers} from '../source/app/answers.ts';
import {useTheme} from '../source/app/theme.tsx';
import {environmentSize, moduleSizes, moduleTitles, partSizes} from '../source/blueprints/sizes.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import {
  databasePlaceOf,
  environmentDomain,
  type ModuleId,
  moduleIds,
  moduleNeeds,
} from '../source/deployment/environments.ts';
import type {Deployment, Environment} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';
import {sizeAside, sizeHead} from './size-text.ts';

type Props = {
  readonly index: number;
  readonly environment: Environment;
  readonly onDone: () => void;
  readonly onRemove: () => void;
};

const modulePurposes: Readonly<Record<ModuleId, string>> = {
  registry: 'Who there is: people, households, and what is known of them.',
  spar: 'Which account or wallet a person is paid to.',
  pbms: 'Programmes and their beneficiaries: who gets what, and when.',
  'g2p-bridge': 'Hands payments over to banks, and brings back what became of them.',
};

const withEnvironment = (
  current: Deployment,
  index: number,
  update: (environment: Environment) => Environment,
): Deployment => ({
  ...current,
  environments: current.environments.map((each, at) => (at === index ? update(each) : each)),
});

/** A module that is chosen brings those that it cannot do without. */
const withModule = (environment: Environment, id: ModuleId, wanted: boolean): Environment => {
  const chosen = wanted
    ? [...environment.modules, id, ...moduleNeeds[id]]
    : environment.modules.filter(each => each !== id);
  return {...environment, modules: moduleIds.filter(each => chosen.includes(each))};
};

const withoutDomain = ({domain: _, ...environment}: Environment): Environment => environment;

const withoutEmail = ({adminEmail: _, ...environment}: Environment): Environment => environment;

/** One environment: what it is called, where it is found, what runs in it, and what that takes. */
export const EnvironmentEdit = ({index, environment, onDone, onRemove}: Props) => {
  const {glyphs} = useTheme();
  const {deployment, text, choice, problemAt} = useAnswers();
  const {rows: height, readable} = useBody();
  const path = `environments[${index}]`;
  const change = (update: (environment: Environment) => Environment) => (current: Deployment) =>
    withEnvironment(current, index, update);

  const modules = moduleIds.map((id): Row => {
    const chosen = environment.modules.includes(id);
    const problem = problemAt(`${path}.modules[${environment.modules.indexOf(id)}]`);
    return {
      ...choice({
        path: `${path}.${id}`,
        label: moduleTitles[id],
        value: chosen ? 'yes' : 'no',
        set: (current, value) => change(each => withModule(each, id, value === 'yes'))(current),
        options: [
          {value: 'no', label: 'no', help: modulePurposes[id]},
          {value: 'yes', label: 'yes', help: modulePurposes[id]},
        ],
      }),
      aside: sizeAside(moduleSizes[id], chosen),
      ...(chosen ? problem : {}),
    };
  });
  const besides = [
    ...(environment.members.length > 0 ? [counted(environment.members.length, 'member')] : []),
    ...(Object.values(environment.hostnames).some(name => name !== undefined) ? ['host names of its own'] : []),
  ].join(', ');
  const rows: Row[] = [
    text({
      path: `${path}.name`,
      label: 'Name',
      value: environment.name,
      set: (current, name) => change(each => ({...each, name}))(current),
      placeholder: 'for example qa',
      help: 'Lower-case letters and digits. It is the name of its namespace. Another name later is another environment: what was installed under this one stays.',
    }),
    text({
      path: `${path}.domain`,
      label: 'Domain',
      value: environment.domain ?? '',
      set: (current, domain) => change(each => (domain === '' ? withoutDomain(each) : {...each, domain}))(current),
      placeholder: `${environmentDomain(deployment, withoutDomain(environment))}, from its name`,
      help: `Its services get names below it. It lies below ${deployment.domain}. Empty: its name and that.`,
    }),
    text({
      path: `${path}.adminEmail`,
      label: 'First user',
      value: environment.adminEmail ?? '',
      set: (current, adminEmail) =>
        change(each => (adminEmail === '' ? withoutEmail(each) : {...each, adminEmail}))(current),
      placeholder: `for example admin@${deployment.domain}`,
      help: 'The e-mail address of who may do everything in its services. A password is made for it.',
    }),
    ...(deployment.components.postgresql
      ? [
          choice({
            path: `${path}.database`,
            label: 'Databases',
            value: databasePlaceOf(deployment, environment),
            set: (current, database) => change(each => ({...each, database}))(current),
            options: [
              {
                value: 'storage-host',
                label: 'on the storage host',
                help: 'For one environment: OpenG2P gives the databases of each the same names. Not to be changed later.',
              },
              {
                value: 'in-cluster',
                label: 'in its namespace',
                help: 'A server of its own on the cluster, for a second environment. Not to be changed later.',
              },
            ],
          }),
        ]
      : []),
    {kind: 'heading', id: 'head', label: 'Runs in it', aside: sizeHead},
    {
      kind: 'fact',
      id: 'commons',
      label: 'Common services',
      value: 'always',
      aside: sizeAside(partSizes.commons),
    },
    ...modules,
    {
      kind: 'fact',
      id: 'sum',
      label: 'Together, about',
      value: '',
      aside: sizeAside(environmentSize(environment)),
    },
    ...(besides ? [{kind: 'fact' as const, id: 'besides', label: 'From the file', value: besides}] : []),
    {kind: 'gap', id: 'gap'},
    {kind: 'action', id: 'done', label: 'Done', detail: 'back to the list', onSelect: onDone},
    {kind: 'action', id: 'remove', label: 'Remove', detail: 'asks first', onSelect: onRemove},
  ];
  return (
    <Frame title={`Environment ${environment.name}`} hints={wizardHints(glyphs)}>
      <Form columns={readable} height={height} rows={rows} />
    </Frame>
  );
};
