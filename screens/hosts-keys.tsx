import {Box} from 'ink';
import {Say, useTheme} from '../source/app/theme.tsx';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {Table} from '../source/components/table.tsx';
import {counted} from '../source/components/text.ts';
import type {HostKeyFinding} from '../source/hosts/host-key.ts';
import {wizardHints} from './hints.ts';

type Props = {
  readonly findings: readonly HostKeyFinding[];
  readonly onAccept: (findings: readonly HostKeyFinding[]) => void;
  readonly onBack: () => void;
};

const isRefused = ({status}: HostKeyFinding): boolean => status === 'changed' || status === 'revoked';

const words: Readonly<Record<HostKeyFinding['status'], string>> = {
  known: 'known',
  unknown: 'new',
  changed: 'CHANGED',
  revoked: 'REVOKED',
};

/** Columns that a row takes at least; a fingerprint that is cut off cannot be compared. */
const wholeColumns = 78;

const narrow = (finding: HostKeyFinding): readonly string[] => [
  `${finding.host}: ${words[finding.status]}, ${finding.type.replace('ssh-', '')}`,
  `  ${finding.fingerprint}`,
  ...(finding.expected === undefined ? [] : [`  before ${finding.expected}`]),
];

/** The keys of all hosts at once, before anything is sent. A changed key is refused, whatever one types. */
export const HostKeys = ({findings, onAccept, onBack}: Props) => {
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const refused = findings.filter(isRefused);
  const unknown = findings.filter(finding => finding.status === 'unknown');
  const lead = useLead(
    refused.length > 0
      ? `${counted(refused.length, 'host')} showed another key than before. That is what an attack looks like, and also a machine installed anew. Nothing was sent.`
      : 'Compare these with what the machines themselves say. Nothing has been sent to them yet.',
  );
  return (
    <Frame title="Host keys" hints={wizardHints(glyphs)}>
      {lead.node}
      <Box flexDirection="column" marginBottom={1} flexShrink={0}>
        {readable < wholeColumns ? (
          <Say>{findings.flatMap(narrow).join('\n')}</Say>
        ) : (
          <Table
            width={readable}
            height={Math.max(2, height - lead.lines - 13)}
            columns={[
              {title: 'Host', least: 8},
              {title: 'Key', least: 7},
              {title: 'Type', least: 7},
              {title: 'Fingerprint', least: 50},
            ]}
            rows={findings.flatMap(finding => [
              [
                finding.host,
                {text: words[finding.status], tone: isRefused(finding) ? ('bad' as const) : ('plain' as const)},
                finding.type.replace('ssh-', ''),
                finding.fingerprint,
              ],
              ...(finding.expected === undefined ? [] : [['', 'before', '', finding.expected]]),
            ])}
          />
        )}
      </Box>
      {refused.length > 0 ? (
        <Refusal refused={refused} onBack={onBack} columns={readable} />
      ) : (
        <>
          <Say tone="quiet">On a machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub</Say>
          <Box marginTop={1}>
            <Confirm word="yes" columns={readable} onConfirm={() => onAccept(unknown)}>
              {unknown.length === 1
                ? 'If it is the same, say so; the key is then kept.'
                : `If all ${unknown.length} are the same, say so; the keys are then kept.`}
            </Confirm>
          </Box>
        </>
      )}
    </Frame>
  );
};

const Refusal = ({
  refused,
  columns,
  onBack,
}: {
  readonly refused: readonly HostKeyFinding[];
  readonly columns: number;
  readonly onBack: () => void;
}) => (
  <Box flexDirection="column">
    <Say>If you know why it changed, take the old key away, then check again:</Say>
    {refused.map(finding => (
      <Say key={finding.knownAs} tone="strong">{`  ssh-keygen -R '${finding.knownAs}'`}</Say>
    ))}
    <Box marginTop={1}>
      <Form
        columns={columns}
        height={5}
        rows={[{kind: 'action', id: 'back', label: 'Back to the hosts', onSelect: onBack}]}
      />
    </Box>
  </Box>
);
