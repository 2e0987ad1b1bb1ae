import {useAnswers} from '../source/app/answers.ts';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import type {Deployment, Postgresql} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';

type Components = Deployment['components'];

const withComponents = (current: Deployment, part: Partial<Components>): Deployment => ({
  ...current,
  components: {...current.components, ...part},
});

const withPostgresql = (current: Deployment, part: Partial<Postgresql>): Deployment =>
  current.components.postgresql === undefined
    ? current
    : withComponents(current, {postgresql: {...current.components.postgresql, ...part}});

/** Settings of the ground. Every one has a default that suits most. */
export const ComponentsGround = ({onDone}: {readonly onDone: () => void}) => {
  const {glyphs} = useTheme();
  const {deployment, text, number, list, choice} = useAnswers();
  const {rows: height, readable} = useBody();
  const {components} = deployment;
  const lead = useLead('What suits most is filled in. Change what differs at your site.');
  const {postgresql} = components;
  const databases: Row[] = postgresql
    ? [
        choice({
          path: 'components.postgresql.packages',
          label: 'PostgreSQL',
          value: postgresql.packages,
          set: (current, packages) => withPostgresql(current, {packages}),
          options: [
            {
              value: 'distribution',
              label: 'of the distribution',
              help: 'The version that the system of the storage host has; its security updates come with the others.',
            },
            {
              value: 'pgdg',
              label: "of PostgreSQL's project",
              help: 'A version of your choice, from apt.postgresql.org or your mirror of it.',
            },
          ],
        }),
        ...(postgresql.packages === 'pgdg'
          ? [
              number({
                path: 'components.postgresql.version',
                label: 'Its version',
                value: postgresql.version,
                set: (current, version) => withPostgresql(current, {version}),
                help: '15 to 18. Choose before the first installation: later the data must be moved by hand.',
              }),
            ]
          : []),
        number({
          path: 'components.postgresql.port',
          label: 'Its port',
          value: postgresql.port,
          set: (current, port) => withPostgresql(current, {port}),
          help: 'On the storage host. Only the compute hosts are let in there.',
        }),
      ]
    : [];
  const rows: Row[] = [
    list({
      path: 'components.timeServers',
      label: 'Time servers',
      value: components.timeServers,
      set: (current, timeServers) => withComponents(current, {timeServers: [...timeServers]}),
      placeholder: 'those that the system uses',
      help: 'Names or addresses, separated by commas. Empty: what the host is set to already.',
    }),
    list({
      path: 'components.dns.upstreams',
      label: 'DNS servers to ask',
      value: components.dns.upstreams,
      set: (current, upstreams) =>
        withComponents(current, {dns: {...current.components.dns, upstreams: [...upstreams]}}),
      placeholder: 'those that the host uses',
      help: 'Addresses, separated by commas, for every name outside of the domain. Empty: what the host uses now.',
    }),
    {kind: 'gap', id: 'gap-1'},
    choice({
      path: 'components.nfs.server',
      label: 'NFS server',
      value: components.nfs.server,
      set: (current, server) => withComponents(current, {nfs: {...current.components.nfs, server}}),
      options: [
        {value: 'auto', label: 'as the host allows', help: "The kernel's, or NFS-Ganesha where the kernel has none."},
        {value: 'kernel', label: "the kernel's", help: 'The usual one. Not in containers.'},
        {value: 'ganesha', label: 'NFS-Ganesha', help: 'A server in user space, for containers.'},
      ],
    }),
    text({
      path: 'components.nfs.exportPath',
      label: 'Shared folder',
      value: components.nfs.exportPath,
      set: (current, exportPath) => withComponents(current, {nfs: {...current.components.nfs, exportPath}}),
      placeholder: 'for example /srv/nfs',
      help: 'A folder of its own on a disk with room: everything that the platform keeps lies there.',
    }),
    ...databases,
    {kind: 'gap', id: 'gap-2'},
    number({
      path: 'components.nginx.maxBodyMb',
      label: 'Largest upload, MB',
      value: components.nginx.maxBodyMb,
      set: (current, maxBodyMb) => withComponents(current, {nginx: {maxBodyMb}}),
      help: 'The largest request that nginx lets through: forms with photographs, imported files.',
    }),
    choice({
      path: 'components.automaticUpdates',
      label: 'Automatic updates',
      value: components.automaticUpdates,
      set: (current, automaticUpdates) => withComponents(current, {automaticUpdates}),
      options: [
        {
          value: 'security',
          label: 'security only',
          help: 'The system installs security updates by itself. It never restarts by itself.',
        },
        {value: 'off', label: 'off', help: 'Nothing is updated by itself: then somebody must do it.'},
      ],
    }),
    {kind: 'gap', id: 'gap-3'},
    {kind: 'action', id: 'done', label: 'Done', detail: 'back to Components', onSelect: onDone},
  ];
  return (
    <Frame title="Ground settings" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={rows} />
    </Frame>
  );
};
