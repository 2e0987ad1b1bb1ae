import {useAnswers} from '../source/app/answers.ts';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {wizardHints} from './hints.ts';

/** The domain, and the certificates for it. */
export const DomainScreen = () => {
  const {glyphs} = useTheme();
  const {deployment, text, number, choice, onward} = useAnswers();
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
  ];
  return (
    <Frame title="Domain and TLS" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={[...rows, onward(['domain', 'tls'], rows)]} />
    </Frame>
  );
};
