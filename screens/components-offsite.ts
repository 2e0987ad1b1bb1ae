import type {useAnswers} from '../source/app/answers.ts';
import type {Wizard} from '../source/app/wizard.ts';
import type {ChoiceRow, Row} from '../source/components/row.ts';
import type {Backup, Deployment} from '../source/deployment/schema.ts';
import {offsiteSecretKey} from '../steps/backup/offsite.ts';
import type {useSecretRows} from './secret-row.ts';
import {withBackup} from './with-backup.ts';

type Answers = ReturnType<typeof useAnswers>;

type SecretRows = ReturnType<typeof useSecretRows>;

type Offsite = NonNullable<Backup['offsite']>;

type Kind = Offsite['kind'];

type Of<K extends Kind> = Extract<Offsite, {kind: K}>;

const path = 'components.backup.offsite';

const beginnings: {readonly [K in Kind]: Of<K>} = {
  s3: {kind: 's3', endpoint: '', bucket: '', keyId: '', prune: true},
  sftp: {kind: 'sftp', host: '', port: 22, user: '', path: '', hostKey: '', prune: true},
};

/** The second repository, if there is to be one. What was answered for one kind is kept while another is looked at. */
export const offsiteRows = (
  answers: Answers,
  secrets: SecretRows,
  wizard: Wizard,
  {offsite}: Backup,
): readonly Row[] => [
  kindRow(answers, wizard, offsite),
  ...(offsite?.kind === 's3' ? bucketRows(answers, secrets, offsite) : []),
  ...(offsite?.kind === 'sftp' ? serverRows(answers, offsite) : []),
  ...(offsite ? [pruneRow(answers, offsite)] : []),
];

const kindRow = ({choice}: Answers, wizard: Wizard, offsite: Offsite | undefined): ChoiceRow => ({
  ...choice({
    path: `${path}.kind`,
    label: 'At another site',
    value: offsite?.kind ?? 'none',
    set: current => current,
    options: [
      {value: 'none', label: 'no', help: 'A fire that takes the backup host too takes all copies.'},
      {value: 's3', label: 'S3 bucket', help: 'Each night what is new is copied there, encrypted.'},
      {value: 'sftp', label: 'SFTP server', help: 'Each night what is new is copied there, encrypted.'},
    ],
  }),
  onChange: value =>
    wizard.change(current =>
      withBackup(current, ({offsite: before, ...backup}) => {
        if (before) wizard.setAside(`${path}.${before.kind}`, before);
        if (value !== 's3' && value !== 'sftp') return backup;
        return {...backup, offsite: wizard.takeUp<Offsite>(`${path}.${value}`) ?? beginnings[value]};
      }),
    ),
});

const changed = <K extends Kind>(current: Deployment, kind: K, part: Partial<Omit<Of<K>, 'kind'>>): Deployment =>
  withBackup(current, backup =>
    backup.offsite?.kind === kind ? {...backup, offsite: {...backup.offsite, ...part}} : backup,
  );

const bucketRows = ({text}: Answers, {secretRow}: SecretRows, bucket: Of<'s3'>): readonly Row[] => [
  text({
    path: `${path}.endpoint`,
    label: '  Address',
    value: bucket.endpoint,
    set: (current, endpoint) => changed(current, 's3', {endpoint}),
    placeholder: 'for example https://s3.other-site.example',
    help: 'Of the S3 service, without the bucket and without "/" at its end.',
  }),
  text({
    path: `${path}.bucket`,
    label: '  Bucket',
    value: bucket.bucket,
    set: (current, name) => changed(current, 's3', {bucket: name}),
    help: 'It must exist, and be for these copies alone.',
  }),
  text({
    path: `${path}.region`,
    label: '  Region',
    value: bucket.region ?? '',
    set: (current, region) => changed(current, 's3', {region: region === '' ? undefined : region}),
    placeholder: 'none',
    help: 'Where the service has regions, like eu-central-1.',
  }),
  text({
    path: `${path}.keyId`,
    label: '  Access key',
    value: bucket.keyId,
    set: (current, keyId) => changed(current, 's3', {keyId}),
    help: 'The id of the key that may write to the bucket. Its secret half is asked for next.',
  }),
  secretRow({name: offsiteSecretKey, label: '  Secret key', help: 'The secret half of the access key.'}),
];

const serverRows = ({text, phrase, number}: Answers, server: Of<'sftp'>): readonly Row[] => [
  text({
    path: `${path}.host`,
    label: '  Server',
    value: server.host,
    set: (current, host) => changed(current, 'sftp', {host}),
    placeholder: 'for example backup.other-site.example',
    help: 'Its name or address. The key that logs in there is made on the backup host and handed over as backup/offsite.pub.',
  }),
  number({
    path: `${path}.port`,
    label: '  Port',
    value: server.port,
    set: (current, port) => changed(current, 'sftp', {port}),
    help: '22 is the usual one.',
  }),
  text({
    path: `${path}.user`,
    label: '  User',
    value: server.user,
    set: (current, user) => changed(current, 'sftp', {user}),
    help: 'An account for these copies alone.',
  }),
  text({
    path: `${path}.path`,
    label: '  Folder',
    value: server.path,
    set: (current, folder) => changed(current, 'sftp', {path: folder}),
    placeholder: 'for example /copies/openg2p',
    help: 'On that server; the user must be able to write there.',
  }),
  phrase({
    path: `${path}.hostKey`,
    label: '  Its host key',
    value: server.hostKey,
    set: (current, hostKey) => changed(current, 'sftp', {hostKey}),
    placeholder: 'for example ssh-ed25519 AAAA...',
    help: 'From /etc/ssh/ssh_host_ed25519_key.pub of that server, without the comment. It is never taken from the network.',
  }),
];

const pruneRow = ({choice}: Answers, {prune}: Offsite): ChoiceRow =>
  choice({
    path: `${path}.prune`,
    label: '  Old copies there',
    value: prune ? 'go' : 'stay',
    set: (current, value) =>
      withBackup(current, backup =>
        backup.offsite ? {...backup, offsite: {...backup.offsite, prune: value === 'go'}} : backup,
      ),
    options: [
      {value: 'go', label: 'go as they do here', help: 'What is too old here is deleted there too.'},
      {
        value: 'stay',
        label: 'stay',
        help: 'For a bucket with object lock, or a key that may not delete: the other site lets nothing go.',
      },
    ],
  });
