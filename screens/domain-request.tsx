import {useRef, useState} from 'react';
import {useDeployment, useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {isDnsLabel} from '../source/network/names.ts';
import {wizardHints} from './hints.ts';

/** A request for a CA to sign, made from the names of the deployment. */
export const DomainRequest = ({onDone}: {readonly onDone: () => void}) => {
  const {services, wizard} = useProgram();
  const deployment = useDeployment();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const [name, setName] = useState('main');
  const [each, setEach] = useState(false);
  const [subject, setSubject] = useState('');
  const [kind, setKind] = useState<'ec' | 'rsa'>('ec');
  const [said, setSaid] = useState<string>();
  const busy = useRef(false);
  const lead = useLead(
    said ?? 'A key is made in the vault, where it stays, and a request for the names below, which a CA signs.',
  );
  const names = services.certificates.requestNames(deployment, each);
  const make = (): void => {
    if (busy.current) return;
    busy.current = true;
    void services.certificates.request(deployment, {name, each, subject, kind}).then(made => {
      busy.current = false;
      if (!made.ok) {
        setSaid(made.error);
        return;
      }
      wizard.change(current => ({...current, tls: made.value.tls}));
      setSaid(
        `The request lies in ${made.value.file}. Bring it to the CA and leave at any time: what comes back is imported on the screen before this one, without a key.`,
      );
    });
  };
  const wrongName = isDnsLabel(name) ? undefined : 'must be lower-case letters, digits and hyphens';
  const rows: Row[] = [
    {
      kind: 'text',
      id: 'name',
      label: 'Called',
      value: name,
      onChange: typed => setName(typed.trim()),
      error: wrongName,
      help: 'How the certificate is called here. One is enough for all names, unless your CA wants several.',
    },
    {
      kind: 'choice',
      id: 'each',
      label: 'Names',
      value: each ? 'each' : 'wildcards',
      options: [
        {
          value: 'wildcards',
          label: 'wildcards',
          help: 'The domain with one level below it, and the same of each environment.',
        },
        {
          value: 'each',
          label: 'every service by its name',
          help: 'For CAs that give no wildcards. A module that comes later needs a new certificate.',
        },
      ],
      onChange: value => setEach(value === 'each'),
    },
    {
      kind: 'fact',
      id: 'names',
      label: '',
      value: names.join(', ') || 'none: there is no platform and no environment yet',
    },
    {
      kind: 'text',
      id: 'subject',
      label: 'Subject',
      value: subject,
      onChange: setSubject,
      placeholder: 'only if the CA wants it: C=KE, O=Ministry of Labour',
      help: 'What the CA wants to read beside the names: country, organisation.',
    },
    {
      kind: 'choice',
      id: 'kind',
      label: 'Key',
      value: kind,
      options: [
        {value: 'ec', label: 'ECDSA on P-256', help: 'What CAs of today and browsers take.'},
        {value: 'rsa', label: 'RSA 3072', help: 'For CAs that sign RSA only.'},
      ],
      onChange: value => setKind(value === 'rsa' ? 'rsa' : 'ec'),
    },
    {kind: 'gap', id: 'gap'},
    {
      kind: 'action',
      id: 'make',
      label: 'Make the request',
      disabled: wrongName ?? (names.length === 0 ? 'there are no names to ask for' : undefined),
      onSelect: make,
    },
    {kind: 'action', id: 'done', label: 'Done', detail: 'back to Domain and TLS', onSelect: onDone},
  ];
  return (
    <Frame title="Certificate request" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={rows} />
    </Frame>
  );
};
