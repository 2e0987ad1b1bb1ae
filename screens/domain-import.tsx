import {dirname, join} from 'node:path';
import {useEffect, useRef, useState} from 'react';
import {useDeployment, useProgram} from '../source/app/program.tsx';
import type {JudgedFiles, NotRead} from '../source/app/services.ts';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import type {Result} from '../source/result.ts';
import {wizardHints} from './hints.ts';

/** More are in no folder that a CA's answer lies in; who has them names another folder. */
const mostEntries = 60;

const words = {error: 'wrong', warning: 'mind', note: 'note', good: 'good'} as const;

type Look = Result<JudgedFiles, NotRead> | undefined;

/** What is thought of the chosen files, asked anew whenever they or the password change; the latest answer counts. */
const useLook = (chosen: readonly string[], password: string): Look => {
  const {services} = useProgram();
  const deployment = useDeployment();
  const [look, setLook] = useState<Look>();
  const {examine} = services.certificates;
  const paths = chosen.join('\n');
  useEffect(() => {
    if (paths === '') {
      setLook(undefined);
      return;
    }
    let shown = true;
    void examine(deployment, paths.split('\n'), password).then(found => {
      if (shown) setLook(found);
    });
    return () => {
      shown = false;
    };
  }, [examine, deployment, paths, password]);
  return look;
};

const leadText = (look: Look): string => {
  if (!look)
    return 'Choose the files that the CA sent, and that of the key. They are judged at once; nothing is kept yet.';
  if (!look.ok) return look.error.message;
  const wrong = look.value.remarks.find(({severity}) => severity === 'error');
  return [look.value.summary, look.value.usable ? undefined : wrong?.text].filter(Boolean).join(' ');
};

/** Choosing files, judging them, and keeping the certificates that they hold in the vault. */
export const DomainImport = ({onDone}: {readonly onDone: () => void}) => {
  const {services, wizard} = useProgram();
  const deployment = useDeployment();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const [folder, setFolder] = useState(services.certificates.startFolder);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [password, setPassword] = useState('');
  const [given, setGiven] = useState('');
  const [failure, setFailure] = useState<string>();
  const busy = useRef(false);
  const look = useLook(chosen, given);
  const lead = useLead(failure ?? leadText(look));
  const entries = services.certificates.folder(folder);

  const toggle = (path: string): void => {
    setFailure(undefined);
    setChosen(before => (before.includes(path) ? before.filter(each => each !== path) : [...before, path]));
  };
  const keep = (): void => {
    if (busy.current) return;
    busy.current = true;
    void services.certificates.keep(deployment, chosen, given).then(kept => {
      busy.current = false;
      if (!kept.ok) {
        setFailure(kept.error);
        return;
      }
      wizard.change(current => ({...current, tls: kept.value.tls}));
      onDone();
    });
  };
  const usable = look?.ok === true && look.value.usable;
  const rows: Row[] = [
    {
      kind: 'text',
      id: 'folder',
      label: 'Folder',
      value: folder,
      onChange: setFolder,
      ...(entries === undefined && {error: 'there is no such folder, or it cannot be read'}),
      help: 'Where the files lie on this side. Enter on a file below chooses it, or takes it back.',
    },
    {
      kind: 'text',
      id: 'password',
      label: 'Password',
      value: password,
      secret: true,
      onChange: setPassword,
      onCommit: () => setGiven(password),
      placeholder: 'only for a PFX file or a locked key',
      ...(look && !look.ok && look.error.needsPassword && {error: look.error.message}),
      help: 'It opens the files and is kept nowhere.',
    },
    {
      kind: 'action',
      id: 'keep',
      label: 'Import',
      detail: `${counted(chosen.length, 'file')}: chain and key go into the vault`,
      disabled: usable ? undefined : chosen.length === 0 ? 'choose files first' : 'these files cannot be used yet',
      onSelect: keep,
    },
    {kind: 'action', id: 'back', label: 'Back', detail: 'without keeping anything', onSelect: onDone},
    ...remarkRows(look),
    {kind: 'heading', id: 'files', label: 'Files'},
    {kind: 'action', id: 'up', label: '    ..', onSelect: () => setFolder(dirname(folder))},
    ...(entries ?? []).slice(0, mostEntries).map((entry): Row => {
      const path = join(folder, entry.name);
      return entry.folder
        ? {kind: 'action', id: path, label: `    ${entry.name}/`, onSelect: () => setFolder(path)}
        : {
            kind: 'action',
            id: path,
            label: `[${chosen.includes(path) ? 'x' : ' '}] ${entry.name}`,
            onSelect: () => toggle(path),
          };
    }),
  ];
  return (
    <Frame title="Import certificates" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={rows} />
    </Frame>
  );
};

/** Everything that was found, one line each; the gravest stands in full above. */
const remarkRows = (look: Look): readonly Row[] =>
  look?.ok
    ? look.value.remarks.map(
        ({severity, text}, index): Row => ({
          kind: 'fact',
          id: `remark-${index}`,
          label: `  ${words[severity]}`,
          value: text,
        }),
      )
    : [];
