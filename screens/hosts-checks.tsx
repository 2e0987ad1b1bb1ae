import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useDeployment, useProgram, useWizard} from '../source/app/program.tsx';
import {primaryAddress} from '../source/app/suggestions.ts';
import {Say, type Tone, useTheme} from '../source/app/theme.tsx';
import {Confirm} from '../source/components/confirm.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import {Table} from '../source/components/table.tsx';
import {bytes, counted, placed, wrap} from '../source/components/text.ts';
import type {HostSpec} from '../source/deployment/schema.ts';
import {acceptanceOf, type CheckResult} from '../source/hosts/check.ts';
import type {Facts} from '../source/hosts/facts.ts';

type Props = {readonly host: HostSpec; readonly onCheckAgain: () => void};

type Standing = 'failed' | 'warning' | 'accepted' | 'passed';

const standingOf = (check: CheckResult, accepted: readonly string[]): Standing => {
  if (check.outcome === 'passed') return 'passed';
  if (accepted.includes(acceptanceOf(check))) return 'accepted';
  return check.severity === 'error' ? 'failed' : 'warning';
};

const order: readonly Standing[] = ['failed', 'warning', 'accepted', 'passed'];

const tones: Readonly<Record<Standing, Tone>> = {
  failed: 'bad',
  warning: 'warning',
  accepted: 'warning',
  passed: 'good',
};

const detailLines = 5;

/** What a host is, and what preflight says about it: what is wrong first, each with what to do. */
export const HostChecks = ({host, onCheckAgain}: Props) => {
  const {wizard} = useProgram();
  const {reports} = useWizard();
  const {glyphs} = useTheme();
  const {rows: height, readable, columns} = useBody();
  const {acceptedChecks} = useDeployment();
  const [at, setAt] = useState(0);
  const [accepting, setAccepting] = useState<CheckResult>();
  const report = reports[host.name];
  const checks = report?.state === 'ready' ? report.checks : [];
  const sorted = order.flatMap(standing => checks.filter(check => standingOf(check, acceptedChecks) === standing));
  const chosen = sorted[Math.min(at, sorted.length - 1)];
  const failed = checks.filter(check => standingOf(check, acceptedChecks) === 'failed').length;
  const factLines = report?.state === 'ready' && height >= 16 ? factsText(report.facts) : [];
  const tableHeight = height - factLines.length - (factLines.length > 0 ? 1 : 0) - 2 - detailLines - 1;

  useKeys(
    key => {
      const move = (to: number): true => {
        setAt(Math.min(Math.max(to, 0), Math.max(0, sorted.length - 1)));
        return true;
      };
      switch (key.name) {
        case 'up':
          return move(at - 1);
        case 'down':
          return move(at + 1);
        case 'pageup':
          return move(at - tableHeight);
        case 'pagedown':
          return move(at + tableHeight);
        case 'home':
          return move(0);
        case 'end':
          return move(sorted.length - 1);
        default:
          break;
      }
      if (key.ctrl || key.name !== 'text') return false;
      if (key.text === 'a' && chosen && canAccept(chosen, acceptedChecks)) {
        setAccepting(chosen);
        return true;
      }
      if (key.text === 'r') {
        onCheckAgain();
        return true;
      }
      return false;
    },
    {active: accepting === undefined},
  );
  useKeys(
    key => {
      if (key.name !== 'escape') return false;
      setAccepting(undefined);
      return true;
    },
    {active: accepting !== undefined},
  );

  if (accepting) {
    return (
      <Frame title={`Accept a failed check on ${host.name}`} hints={[{keys: 'Esc', does: 'back, nothing happens'}]}>
        <Confirm
          word={accepting.id}
          columns={readable}
          onConfirm={() => {
            wizard.change(current => ({
              ...current,
              acceptedChecks: [...new Set([...current.acceptedChecks, acceptanceOf(accepting)])],
            }));
            setAccepting(undefined);
          }}
        >
          {`${accepting.title}. Found: ${accepting.found}. Needed: ${accepting.needed}. If you accept this, the installation goes on in spite of it, and the record of the run says that you did.`}
        </Confirm>
      </Frame>
    );
  }
  return (
    <Frame
      title={`Facts and checks of ${host.name}`}
      hints={[
        {keys: glyphs.upDown, does: 'move'},
        {keys: 'a', does: 'accept a failed check'},
        {keys: 'r', does: 'check again'},
        {keys: 'Esc', does: 'back'},
        {keys: '?', does: 'keys'},
      ]}
    >
      {factLines.length > 0 && (
        <Box flexDirection="column" marginBottom={1} flexShrink={0}>
          {factLines.map(line => (
            <Say key={line} tone="quiet" wrap="truncate-end">
              {line}
            </Say>
          ))}
        </Box>
      )}
      <Say tone="strong">
        {failed > 0 ? `${counted(failed, 'check')} must be put right or accepted` : 'Nothing stands in the way'}
      </Say>
      <Box height={Math.max(3, tableHeight + 1)} overflow="hidden" flexShrink={0}>
        <Table
          width={columns}
          height={Math.max(3, tableHeight + 1)}
          chosen={at}
          columns={[
            {title: 'Check', least: 20},
            {title: 'State', least: 8},
            {title: 'Found', least: 14},
            {title: 'Needed', least: 10},
          ]}
          rows={sorted.map(check => {
            const standing = standingOf(check, acceptedChecks);
            return [
              check.title,
              {text: standing === 'failed' ? 'FAILED' : standing, tone: tones[standing]},
              check.found,
              check.needed,
            ];
          })}
        />
      </Box>
      {chosen && <Details check={chosen} accepted={acceptedChecks} columns={readable} />}
    </Frame>
  );
};

const canAccept = (check: CheckResult, accepted: readonly string[]): boolean =>
  check.acceptable && standingOf(check, accepted) === 'failed';

const Details = ({
  check,
  accepted,
  columns,
}: {
  readonly check: CheckResult;
  readonly accepted: readonly string[];
  readonly columns: number;
}) => {
  const standing = standingOf(check, accepted);
  const way =
    standing === 'failed'
      ? check.acceptable
        ? 'Press "a" to accept it and go on in spite of it.'
        : 'It cannot be accepted: without it nothing would work.'
      : standing === 'accepted'
        ? 'Accepted by you.'
        : '';
  const text = [
    `Found: ${check.found}. Needed: ${check.needed}.`,
    ...(check.outcome === 'failed' ? [`What to do: ${check.remedy}`] : []),
    ...(way ? [way] : []),
  ];
  return (
    <Box flexDirection="column" marginTop={1} height={detailLines} overflow="hidden" flexShrink={0}>
      {placed(text.flatMap(line => wrap(line, columns)).slice(0, detailLines)).map(({place, item}) => (
        <Say key={place}>{item}</Say>
      ))}
    </Box>
  );
};

/** Three lines that say what a machine is. */
export const factsText = (facts: Facts): readonly string[] => {
  const root = facts.mounts.find(mount => mount.path === '/');
  const primary = primaryAddress(facts);
  return [
    `${facts.os.title}, kernel ${facts.kernel}, ${facts.arch}${facts.virtualisation === 'none' ? '' : `, in ${facts.virtualisation}`}`,
    `${counted(facts.cpus, 'CPU')}, ${bytes(facts.memoryBytes)} memory${root ? `, ${bytes(root.freeBytes)} of ${bytes(root.bytes)} free on /` : ''}`,
    `${facts.hostname}${primary ? `, ${primary.address} in ${primary.subnet}` : ''}${facts.defaultRoute ? `, out through ${facts.defaultRoute.gateway}` : ''}`,
  ];
};
