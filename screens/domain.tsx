import {useEffect, useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useDeployment, useProgram} from '../source/app/program.tsx';
import type {CertificateServices} from '../source/app/services.ts';
import {useTheme} from '../source/app/theme.tsx';
import type {Wizard} from '../source/app/wizard.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import {type Deployment, type Tls, tls as tlsSchema} from '../source/deployment/schema.ts';
import {recordsOf} from '../steps/site-dns/records.ts';
import {DnsRecords} from './dns-records.tsx';
import {DomainImport} from './domain-import.tsx';
import {DomainRequest} from './domain-request.tsx';
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

const signs = {error: 'bad', warning: 'warning', note: 'quiet', good: 'good'} as const;

type Ways = {readonly onImport: () => void; readonly onRequest: () => void};

const suppliedRows = (
  {number}: Answers,
  tls: Extract<Tls, {readonly mode: 'supplied'}>,
  state: CertificatesState | undefined,
  {onImport, onRequest}: Ways,
): readonly Row[] => [
  ...(state?.certificates ?? []).map(
    ({name, severity, text}, index): Row => ({
      kind: 'fact',
      id: `certificate-${index}`,
      label: `  ${name}`,
      value: text,
      ...(signs[severity] === 'bad' && {error: text}),
    }),
  ),
  {
    kind: 'action',
    id: 'import',
    label: 'Import',
    detail: 'the files that a CA sent: PEM, PFX, ZIP',
    onSelect: onImport,
  },
  {kind: 'action', id: 'request', label: 'Request', detail: 'have one made for a CA to sign', onSelect: onRequest},
  number({
    path: 'tls.warnDays',
    label: 'Warn before, days',
    value: tls.warnDays,
    set: (current, warnDays) => withTls(current, 'supplied', {warnDays}),
    help: 'So many days before a certificate ends, Groundwork says so wherever it looks at it.',
  }),
];

/** Milliseconds without a key after which the vault is asked: a sealed one takes a second to open. */
const typingPause = 250;

type CertificatesState = Awaited<ReturnType<CertificateServices['state']>>;

/** What the vault holds for the deployment as it is answered now. */
const useCertificatesState = (): CertificatesState | undefined => {
  const {services} = useProgram();
  const deployment = useDeployment();
  const [state, setState] = useState<CertificatesState>();
  const {state: ask} = services.certificates;
  const supplied = deployment.tls.mode === 'supplied';
  useEffect(() => {
    if (!supplied) return;
    let shown = true;
    const asking = setTimeout(() => {
      void ask(deployment).then(found => {
        if (shown) setState(found);
      });
    }, typingPause);
    return () => {
      shown = false;
      clearTimeout(asking);
    };
  }, [ask, deployment, supplied]);
  return supplied ? state : undefined;
};

/** What stands in the way of an installation, said before it is tried. */
const leadOf = (state: CertificatesState | undefined): string => {
  const wrong = state?.remarks.find(({severity}) => severity === 'error') ?? state?.remarks[0];
  return wrong?.text ?? 'The name under which everything is reached, and who vouches for it.';
};

const withDns = (current: Deployment, dns: Deployment['components']['dns']): Deployment => ({
  ...current,
  components: {...current.components, dns},
});

/** The domain, and the certificates for it. */
export const DomainScreen = () => {
  const [view, setView] = useState<'main' | 'import' | 'request'>('main');
  const [from, setFrom] = useState('domain');
  const open = (next: 'import' | 'request'): void => {
    setFrom(next);
    setView(next);
  };
  const close = (): void => setView('main');
  useKeys(
    key => {
      if (key.name !== 'escape') return false;
      close();
      return true;
    },
    {active: view !== 'main'},
  );
  if (view === 'import') return <DomainImport onDone={close} />;
  if (view === 'request') return <DomainRequest onDone={close} />;
  return <DomainAndTls initial={from} onImport={() => open('import')} onRequest={() => open('request')} />;
};

const DomainAndTls = ({initial, ...ways}: Ways & {readonly initial: string}) => {
  const {wizard} = useProgram();
  const {glyphs} = useTheme();
  const answers = useAnswers();
  const {deployment, text, choice, onward} = answers;
  const {tls} = deployment;
  const {rows: height, readable} = useBody();
  const state = useCertificatesState();
  const lead = useLead(leadOf(state));
  const [showsRecords, setShowsRecords] = useState(false);
  const {dns} = deployment.components;
  const records = recordsOf(deployment);
  const rows: Row[] = [
    text({
      path: 'domain',
      label: 'Domain',
      value: deployment.domain,
      set: (current, domain) => ({...current, domain}),
      placeholder: 'for example openg2p.test',
      help: 'Services get names below it. A name under .test or .internal needs no registration where a DNS server of ours answers for it.',
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
    ...(tls.mode === 'local-ca' ? localRows(answers, tls) : suppliedRows(answers, tls, state, ways)),
    {kind: 'gap', id: 'gap-2'},
    choice({
      path: 'components.dns.server',
      label: 'Names answered by',
      value: dns.server,
      set: (current, server) => {
        const {resolver, ...rest} = current.components.dns;
        return withDns(current, {...rest, server, ...(server === 'site' && resolver !== undefined && {resolver})});
      },
      options: [
        {
          value: 'own',
          label: 'a server of ours',
          help: 'A DNS server on the proxy answers for all of the domain; devices of the VPN ask it.',
        },
        {
          value: 'site',
          label: "the site's DNS",
          help: 'Somebody enters records there. The installation waits for those that are missing, and does the rest.',
        },
      ],
    }),
    ...(dns.server === 'site'
      ? [
          text({
            path: 'components.dns.resolver',
            label: 'Resolver for the VPN',
            value: dns.resolver ?? '',
            set: (current, typed) => {
              const {resolver: _, ...rest} = current.components.dns;
              return withDns(current, {...rest, ...(typed !== '' && {resolver: typed})});
            },
            placeholder: 'that of the device itself',
            help: `Whom devices of the VPN ask, in ${deployment.network.privateSubnet} or the VPN. Empty: whom they ask anyway.`,
          }),
        ]
      : []),
    ...(records.length > 0
      ? [
          {
            kind: 'action' as const,
            id: 'records',
            label: 'See the DNS records',
            detail: `${counted(records.length, 'record')} for whoever keeps the zone`,
            onSelect: () => setShowsRecords(true),
          },
        ]
      : []),
    {kind: 'gap', id: 'gap-3'},
  ];
  if (showsRecords) return <DnsRecords deployment={deployment} onClose={() => setShowsRecords(false)} />;
  return (
    <Frame title="Domain and TLS" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form
        columns={readable}
        height={height - lead.lines}
        rows={[...rows, onward(['domain', 'tls', 'components.dns'], rows)]}
        initial={initial}
      />
    </Frame>
  );
};
