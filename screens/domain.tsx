import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import type {Deployment} from '../source/deployment/schema.ts';
import {recordsOf} from '../steps/site-dns/records.ts';
import {DnsRecords} from './dns-records.tsx';
import {wizardHints} from './hints.ts';

const withDns = (current: Deployment, dns: Deployment['components']['dns']): Deployment => ({
  ...current,
  components: {...current.components, dns},
});

/** The domain, and the certificates for it. */
export const DomainScreen = () => {
  const {glyphs} = useTheme();
  const {deployment, text, number, choice, onward} = useAnswers();
  const {rows: height, readable} = useBody();
  const [showsRecords, setShowsRecords] = useState(false);
  const {dns} = deployment.components;
  const records = recordsOf(deployment);
  const lead = useLead('The name under which everything is reached, and who vouches for it.');
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
    choice({
      path: 'tls.mode',
      label: 'Certificates',
      value: deployment.tls.mode,
      set: (current, mode) => ({...current, tls: {...current.tls, mode}}),
      options: [
        {
          value: 'local-ca',
          label: 'from a CA of its own',
          help: 'A certificate authority is made for this installation only. Its certificate must be put on every device that is to trust it; the last screen says how.',
        },
      ],
    }),
    number({
      path: 'tls.leafDays',
      label: 'Valid for, days',
      value: deployment.tls.leafDays,
      set: (current, leafDays) => ({...current, tls: {...current.tls, leafDays}}),
      help: '30 to 825 days. Devices of Apple accept no more than 825 from a private CA.',
    }),
    number({
      path: 'tls.renewDays',
      label: 'Renewed before, days',
      value: deployment.tls.renewDays,
      set: (current, renewDays) => ({...current, tls: {...current.tls, renewDays}}),
      help: 'A run of Groundwork within so many days of the end renews the certificate.',
    }),
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
      />
    </Frame>
  );
};
