import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {Say, useTheme} from '../source/app/theme.tsx';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {type Cell, Table} from '../source/components/table.tsx';
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

/** Columns of a fingerprint and of the gap before it: a fingerprint that is cut off cannot be compared. */
const fingerprintColumns = 2 + 50;

/** Columns of the word for what a key is and of its type, with the gaps. */
const differenceColumns = 9 + 9;

/** `ed25519`, `ecdsa`, `rsa`: as the files of sshd are called. */
const typeOf = ({type}: HostKeyFinding): string => type.replace('ssh-', '').replace(/-.*/, '');

const narrow = (finding: HostKeyFinding): readonly string[] => [
  `${finding.host}: ${words[finding.status]}, ${typeOf(finding)}`,
  `  ${finding.fingerprint}`,
  ...(finding.expected === undefined ? [] : [`  before ${finding.expected}`]),
];

const lineOf = (finding: HostKeyFinding, differ: boolean): readonly (readonly Cell[])[] => [
  [
    finding.host,
    ...(differ
      ? [
          {text: words[finding.status], tone: isRefused(finding) ? ('bad' as const) : ('plain' as const)},
          typeOf(finding),
        ]
      : []),
    finding.fingerprint,
  ],
  ...(finding.expected === undefined ? [] : [['', 'before', '', finding.expected]]),
];

/** Lines below the keys: a gap, how to see a key on a machine, and the confirmation or the way out. */
const linesBelow = 10;

/**
 * The keys of all hosts at once, before anything is sent. They are accepted together, so that is offered only when all
 * have been on the screen. A changed key is refused, whatever one types.
 */
export const HostKeys = ({findings, onAccept, onBack}: Props) => {
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const [from, setFrom] = useState(0);
  const [seen, setSeen] = useState(0);
  const refused = findings.filter(isRefused);
  const unknown = findings.filter(finding => finding.status === 'unknown');
  const types = new Set(findings.map(typeOf));
  const [type = 'ed25519'] = types;
  // Where all are new and of one type, that is said once above them, so that the names of the hosts have room.
  const differ = unknown.length < findings.length || types.size > 1;
  const lead = useLead(
    refused.length > 0
      ? `${counted(refused.length, 'host')} showed another key than before. That is what an attack looks like, and also a machine installed anew. Nothing was sent.`
      : `Compare these ${differ ? '' : `new ${type} keys `}with what the machines themselves say. Nothing has been sent to them yet.`,
  );
  const nameColumns = readable - fingerprintColumns - (differ ? differenceColumns : 0);
  const isNarrow = findings.some(({host}) => host.length > nameColumns);
  const each = isNarrow ? 2 : 1;
  const room = Math.max(1, Math.floor((height - lead.lines - linesBelow - (isNarrow ? 0 : 1)) / each));
  const last = Math.min(findings.length, from + room);
  const isWhole = Math.max(seen, last) >= findings.length || refused.length > 0;
  const page = (by: number): true => {
    setSeen(Math.max(seen, last));
    setFrom(Math.min(Math.max(0, from + by), Math.max(0, findings.length - room)));
    return true;
  };
  useKeys(key => {
    if (key.name === 'pagedown' || (!isWhole && (key.name === 'down' || key.name === 'enter'))) return page(room);
    if (key.name === 'pageup' || (!isWhole && key.name === 'up')) return page(-room);
    return false;
  });
  const shown = findings.slice(from, last);
  const others = findings.length - shown.length;
  return (
    <Frame
      title="Host keys"
      hints={
        others > 0
          ? [{keys: 'PgDn', does: 'more keys'}, {keys: 'PgUp', does: 'back up'}, ...wizardHints(glyphs)]
          : wizardHints(glyphs)
      }
    >
      {lead.node}
      <Box flexDirection="column" marginBottom={1} flexShrink={0}>
        {isNarrow ? (
          <Say>{shown.flatMap(narrow).join('\n')}</Say>
        ) : (
          <Table
            width={readable}
            columns={[
              {title: 'Host', least: 8},
              ...(differ
                ? [
                    {title: 'Key', least: 7},
                    {title: 'Type', least: 7},
                  ]
                : []),
              {title: 'Fingerprint', least: 50},
            ]}
            rows={shown.flatMap(finding => lineOf(finding, differ))}
          />
        )}
      </Box>
      {refused.length > 0 ? (
        <Refusal refused={refused} onBack={onBack} columns={readable} />
      ) : isWhole ? (
        <>
          <Say tone="quiet">{`On a machine: ssh-keygen -lf /etc/ssh/ssh_host_${types.size > 1 ? 'TYPE' : type}_key.pub`}</Say>
          <Box marginTop={1}>
            <Confirm word="yes" columns={readable} onConfirm={() => onAccept(unknown)}>
              {unknown.length === 1
                ? 'If it is the same, say so; the key is then kept.'
                : `If all ${unknown.length} are the same, say so; the keys are then kept.`}
            </Confirm>
          </Box>
        </>
      ) : (
        <Say tone="strong">{`Keys ${from + 1} to ${last} of ${findings.length}. Enter shows more; then they can be accepted.`}</Say>
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
