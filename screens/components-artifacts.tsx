import {useAnswers} from '../source/app/answers.ts';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import type {Wizard} from '../source/app/wizard.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import type {ArtifactSource, Deployment, Kubernetes} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';
import {useSecretRows} from './secret-row.ts';
import {withKubernetes} from './with-kubernetes.ts';

type Answers = ReturnType<typeof useAnswers>;

type Registry = NonNullable<Kubernetes['registry']>;

const emptySource = (source: ArtifactSource['source']): ArtifactSource => {
  switch (source) {
    case 'mirror':
      return {source, address: '', checksums: 'pinned'};
    case 'directory':
      return {source, path: ''};
    default:
      return {source};
  }
};

/** What was answered for another source is kept; the way out of the site is the same for all of them. */
const switchSource = (wizard: Wizard, source: ArtifactSource['source']): void =>
  wizard.change(current => {
    const {artifacts} = current;
    wizard.setAside(`artifacts.${artifacts.source}`, artifacts);
    const {proxy: _, ...again} = wizard.takeUp<ArtifactSource>(`artifacts.${source}`) ?? emptySource(source);
    return {...current, artifacts: {...again, ...(artifacts.proxy && {proxy: artifacts.proxy})} as ArtifactSource};
  });

const withProxy = (current: Deployment, address: string): Deployment => {
  const {proxy, ...artifacts} = current.artifacts;
  return {
    ...current,
    artifacts: {...artifacts, ...(address !== '' && {proxy: {exclude: [], ...proxy, address}})} as ArtifactSource,
  };
};

/** Without an address there is no registry, and nothing to say about it. */
const withRegistry = (current: Deployment, update: (registry: Registry) => Registry): Deployment =>
  withKubernetes(current, ({registry: before, ...kubernetes}) => {
    const registry = update(before ?? {address: ''});
    return registry.address === '' ? kubernetes : {...kubernetes, registry};
  });

/** Where programs, charts and container images come from. */
export const ComponentsArtifacts = ({onDone}: {readonly onDone: () => void}) => {
  const {wizard} = useProgram();
  const {glyphs} = useTheme();
  const answers = useAnswers();
  const {rows: height, readable} = useBody();
  const {secretRow} = useSecretRows();
  const lead = useLead('Where programs, charts and container images come from. All is checked before it is used.');
  const {artifacts, components} = answers.deployment;
  const registry = components.kubernetes?.registry;
  const rows: Row[] = [
    {
      ...answers.choice({
        path: 'artifacts.source',
        label: 'Programs, charts',
        value: artifacts.source,
        set: current => current,
        options: [
          {value: 'online', label: 'from their publishers', help: 'The hosts fetch them from the internet.'},
          {
            value: 'mirror',
            label: 'from a mirror',
            help: 'A web server of your site that has the same files, below HOST/PATH of their addresses.',
          },
          {
            value: 'directory',
            label: 'carried in',
            help: 'A folder on this side, filled elsewhere by `groundwork artifacts pull`, and sent to the hosts by SSH.',
          },
        ],
      }),
      onChange: source => switchSource(wizard, source as ArtifactSource['source']),
    },
    ...sourceRows(answers, artifacts),
    ...proxyRows(answers, artifacts),
    {kind: 'gap', id: 'gap-registry'},
    {kind: 'heading', id: 'heading-registry', label: 'Container images'},
    answers.text({
      path: 'components.kubernetes.registry.address',
      label: 'Registry',
      value: registry?.address ?? '',
      set: (current, address) => withRegistry(current, each => ({...each, address})),
      placeholder: 'those of their publishers',
      help: 'The address of a registry of your site that has the images. Without internet there must be one: what is carried in holds those of Kubernetes itself only.',
    }),
    ...(registry
      ? [
          answers.text({
            path: 'components.kubernetes.registry.user',
            label: 'User',
            value: registry.user ?? '',
            set: (current, user) =>
              withRegistry(current, ({user: _, ...each}) => ({...each, ...(user !== '' && {user})})),
            placeholder: 'none: it asks for no login',
            help: 'The name that the cluster logs in to the registry with.',
          }),
          ...(registry.user
            ? [
                secretRow({
                  name: 'registry-password',
                  label: 'Password',
                  help: 'The password of that user.',
                }),
              ]
            : []),
          answers.text({
            path: 'components.kubernetes.registry.authorityFile',
            label: 'Its CA certificate',
            value: registry.authorityFile ?? '',
            set: (current, authorityFile) =>
              withRegistry(current, ({authorityFile: _, ...each}) => ({
                ...each,
                ...(authorityFile !== '' && {authorityFile}),
              })),
            placeholder: 'one that the hosts trust already',
            help: 'A file on the compute hosts, if the certificate of the registry is from an authority of your site.',
          }),
        ]
      : []),
    {kind: 'gap', id: 'gap-end'},
    {kind: 'action', id: 'done', label: 'Done', detail: 'back to Components', onSelect: onDone},
  ];
  return (
    <Frame title="Downloads" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={rows} />
    </Frame>
  );
};

const sourceRows = ({text, choice}: Answers, artifacts: ArtifactSource): readonly Row[] => {
  switch (artifacts.source) {
    case 'mirror':
      return [
        text({
          path: 'artifacts.address',
          label: 'Address',
          value: artifacts.address,
          set: (current, address) =>
            current.artifacts.source === 'mirror' ? {...current, artifacts: {...current.artifacts, address}} : current,
          placeholder: 'for example https://mirror.site.example/groundwork',
          help: 'The hosts must reach it. Without a login, because no secret stands in the answers.',
        }),
        choice({
          path: 'artifacts.checksums',
          label: 'Checked against',
          value: artifacts.checksums,
          set: (current, checksums) =>
            current.artifacts.source === 'mirror'
              ? {...current, artifacts: {...current.artifacts, checksums}}
              : current,
          options: [
            {
              value: 'pinned',
              label: 'what Groundwork knows',
              help: 'A file that the publishers did not release is refused.',
            },
            {
              value: 'published',
              label: 'checksums of the mirror',
              help: 'For a site that builds its own. Whoever can write on the mirror is then trusted like the publishers.',
            },
          ],
        }),
      ];
    case 'directory':
      return [
        text({
          path: 'artifacts.path',
          label: 'Folder',
          value: artifacts.path,
          set: (current, path) =>
            current.artifacts.source === 'directory' ? {...current, artifacts: {...current.artifacts, path}} : current,
          placeholder: 'for example /media/usb/artifacts',
          help: 'On this side, where Groundwork runs. `groundwork artifacts check FOLDER` says what is missing in it.',
        }),
      ];
    default:
      return [];
  }
};

/** What is carried in goes through no proxy. */
const proxyRows = ({text, list}: Answers, artifacts: ArtifactSource): readonly Row[] =>
  artifacts.source === 'directory'
    ? []
    : [
        text({
          path: 'artifacts.proxy.address',
          label: 'Proxy',
          value: artifacts.proxy?.address ?? '',
          set: withProxy,
          placeholder: 'none',
          help: 'What the hosts must go through to get out of the site, like http://proxy.site.example:3128.',
        }),
        ...(artifacts.proxy
          ? [
              list({
                path: 'artifacts.proxy.exclude',
                label: 'Not through it',
                value: artifacts.proxy.exclude,
                set: (current, exclude) =>
                  current.artifacts.proxy
                    ? {
                        ...current,
                        artifacts: {...current.artifacts, proxy: {...current.artifacts.proxy, exclude: [...exclude]}},
                      }
                    : current,
                placeholder: 'the cluster and the private subnet never do',
                help: 'Names, domains and subnets, separated by commas, that are reached without the proxy.',
              }),
            ]
          : []),
      ];
