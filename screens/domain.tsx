import {useAnswers} from '../source/app/answers.ts';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import type {Wizard} from '../source/app/wizard.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {type Deployment, type Tls, tls as tlsSchema} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';

type Answers = ReturnType<typeof useAnswers>;

/** What was answered for the other way is kept. */
const switchMode = (wizard: Wizard, mode: Tls['mode']): void =>
  wizard.change(current => {
    wizard.setAside(`tls.${current.tls.mode}`, current.tls);
    return {...current, tls: wizard.takeUp<Tls>(`tls.${mode}`) ?? tlsSchema.parse({mode})};
  });

/** Numbers of one mode; typed while the other one holds they change nothing. */
const withTls = (current: Deployment, mode: Tls['mode'], part: Partial<Tls>): Deployment =>
  current.tls.mode === mode ? {...current, tls: {...current.tls, ...part} as Tls} : current;

const localRows = ({number}: Answers, tls: Extract<Tls, {readonly mode: 'local-ca'}>): readonly Row[] => [
  number({
    path: 'tls.leafDays',
    label: 'Valid for, days',
    value: tls.leafDays,
    set: (current, leafDays) => withTls(current, 'local-ca', {leafDays}),
    help: '30 to 825 days. Devices of Apple accept no more than 825 from a private CA.',
  }),
  number({
    path: 'tls.renewDays',
    label: 'Renewed before, days',
    value: tls.renewDays,
    set: (current, renewDays) => withTls(current, 'local-ca', {renewDays}),
    help: 'A run of Groundwork within so many days of the end renews the certificate.',
  }),
];

const suppliedRows = ({number}: Answers, tls: Extract<Tls, {readonly mode: 'supplied'}>): readonly Row[] => [
  number({
    path: 'tls.warnDays',
    label: 'Warn before, days',
    value: tls.warnDays,
    set: (current, warnDays) => withTls(current, 'supplied', {warnDays}),
    help: 'So many days before a certificate ends, Groundwork says so wherever it looks at it.',
  }),
];

/** The domain, and the certificates for it. */
export const DomainScreen = () => {
  const {wizard} = useProgram();
  const {glyphs} = useTheme();
  const answers = useAnswers();
  const {deployment, text, choice, onward} = answers;
  const {tls} = deployment;
  const {rows: height, readable} = useBody();
  const lead = useLead('The name under which everything is reached, and who vouches for it.');
  const rows: Row[] = [
    text({
      path: 'domain',
      label: 'Domain',
      value: deployment.domain,
      set: (current, domain) => ({...current, domain}),
      placeholder: 'for example openg2p.test',
      help: 'Services get names below it. A name under .test or .internal needs no registration: the DNS server that is installed answers for it inside the VPN.',
    }),
    {kind: 'gap', id: 'gap-1'},
    {
      ...choice({
        path: 'tls.mode',
        label: 'Certificates',
        value: tls.mode,
        set: current => current,
        options: [
          {
            value: 'local-ca',
            label: 'from a CA of its own',
            help: 'A certificate authority is made for this installation only. Its certificate must be put on every device that is to trust it; the last screen says how.',
          },
          {
            value: 'supplied',
            label: 'supplied, from a CA',
            help: 'You bring certificates from a public CA or from that of your organisation, or have a request made for one. Every device that knows the CA trusts them.',
          },
        ],
      }),
      onChange: mode => switchMode(wizard, mode as Tls['mode']),
    },
    ...(tls.mode === 'local-ca' ? localRows(answers, tls) : suppliedRows(answers, tls)),
    {kind: 'gap', id: 'gap-2'},
  ];
  return (
    <Frame title="Domain and TLS" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={[...rows, onward(['domain', 'tls'], rows)]} />
    </Frame>
  );
};
