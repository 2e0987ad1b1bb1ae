import {Box} from 'ink';
import {useEffect, useRef, useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useTask, useWizard} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {renameProblem, savedAs} from '../source/app/wizard.ts';
import {topologyOf} from '../source/app/wizard-hosts.ts';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {Notice} from '../source/components/notice.tsx';
import type {Row} from '../source/components/row.ts';
import {counted, roughDuration, wrap} from '../source/components/text.ts';
import {Tree} from '../source/components/tree.tsx';
import {planSeconds} from '../source/engine/duration.ts';
import type {Failure} from '../source/engine/failure.ts';
import {wizardHints} from './hints.ts';
import {blockingOf} from './hosts-text.ts';
import {planTree} from './plan-tree.ts';
import {concernsArea, overview} from './review-overview.ts';
import {sizeLines, sizesText} from './sizes.ts';

type View = 'overview' | 'plan' | 'export' | 'checklist' | 'install';

/** Everything once more, what it will change, and the start. */
export const ReviewScreen = () => {
  const {services, wizard} = useProgram();
  const {planned, reports} = useWizard();
  const {glyphs} = useTheme();
  const {rows: height, readable, columns} = useBody();
  const {deployment, problems} = useAnswers();
  const lead = useLead('Nothing has been changed yet. Look it over.');
  const task = useTask();
  const [view, setView] = useState<View>('overview');
  const [failure, setFailure] = useState<Failure>();
  const [name, setName] = useState(deployment.name);
  const [exported, setExported] = useState<{readonly tone: 'good' | 'bad'; readonly text: string}>();
  const topology = topologyOf(services, deployment);
  const sizes = topology && topology.machines.length > 1 ? sizesText(sizeLines(deployment, topology, reports)) : '';
  const grave = problems.filter(problem => problem.severity !== 'warning');
  const blocking = Object.values(reports).flatMap(report => blockingOf(report, deployment.acceptedChecks));

  const look = (): void => {
    setFailure(undefined);
    task.start('Comparing the hosts with what should be', async signal => {
      const current = wizard.get().deployment ?? deployment;
      const result = await services.plan(
        current,
        report => {
          if (!signal.aborted) wizard.report(report);
        },
        signal,
      );
      if (signal.aborted) return;
      if (result.ok) wizard.plan(result.value);
      else setFailure(result.error);
    });
  };
  // Once, when the screen opens: the plan is what one comes here for.
  const opened = useRef(look);
  const complete = grave.length === 0;
  const wanted = complete && !planned;
  const asked = useRef(false);
  useEffect(() => {
    if (!wanted || asked.current) return;
    asked.current = true;
    opened.current();
  }, [wanted]);

  useKeys(
    key => {
      if (key.name !== 'escape') return false;
      setView('overview');
      return true;
    },
    {active: view !== 'overview'},
  );

  const isInstalled = savedAs(services, deployment.name)?.lastRun !== undefined;
  const wrongName = isInstalled ? undefined : renameProblem(services, deployment.name, name);
  const rename = (): boolean => wrongName === undefined && wizard.rename(name) === undefined;

  if (view === 'plan' && planned) {
    const nodes = planTree(planned.steps);
    return (
      <Frame
        title="What will be changed"
        hints={[
          {keys: glyphs.upDown, does: 'move'},
          {keys: 'Enter', does: 'open and close'},
          {keys: 'Esc', does: 'back'},
          {keys: '?', does: 'keys'},
        ]}
      >
        <Tree
          nodes={nodes}
          columns={columns}
          height={height}
          initiallyOpen={nodes.length > 1 ? [] : nodes.map(node => node.id)}
        />
      </Frame>
    );
  }
  if (view === 'export' || view === 'checklist') {
    const isExport = view === 'export';
    const write = isExport ? services.exportYaml : services.saveChecklist;
    return (
      <WriteView
        {...(isExport ? exportTexts : checklistTexts)}
        suggestion={isExport ? `${deployment.name}.yaml` : `${deployment.name}-checklist.txt`}
        onWrite={path => {
          setView('overview');
          task.start('Writing', async () => {
            const result = await write(wizard.get().deployment ?? deployment, path);
            setExported(
              result.ok
                ? {tone: 'good', text: `Written to ${path}. No secret is in it.`}
                : {tone: 'bad', text: result.error},
            );
          });
        }}
      />
    );
  }
  if (view === 'install') {
    return (
      <Frame title="Install" hints={wizardHints(glyphs)}>
        <Confirm word="install" columns={readable} onConfirm={() => wizard.openRun('run')}>
          {`${counted(planned?.changes ?? 0, 'change')} on ${counted(deployment.hosts.length, 'host')}: ${deployment.hosts
            .map(host => host.name)
            .join(
              ', ',
            )}. You can pause and stop at any time; what is done stays done, and going on later repeats nothing.`}
        </Confirm>
      </Frame>
    );
  }

  const cannot = installObstacle({
    grave: grave[0],
    blocking: blocking.length,
    looking: task.doing !== undefined,
    failure,
    planned: planned !== undefined,
  });
  const rows: Row[] = [
    isInstalled
      ? {kind: 'fact', id: 'name', label: 'Name', value: deployment.name}
      : {
          kind: 'text',
          id: 'name',
          label: 'Name',
          value: name,
          onChange: setName,
          onCommit: rename,
          error: wrongName,
          help: 'What this installation is called in lists and folders on this side. It cannot be changed after the first run.',
        },
    ...overview(deployment).map(
      ([label, value]): Row => ({
        kind: 'fact',
        id: label,
        label,
        value,
        error: problems.find(problem => problem.severity !== 'warning' && concernsArea(label, problem))?.message,
      }),
    ),
    ...(sizes === '' ? [] : [{kind: 'fact' as const, id: 'sizes', label: 'Sizes', value: sizes}]),
    {
      kind: 'fact',
      id: 'plan',
      label: 'Plan',
      value: planText(planned, task.doing, failure),
    },
    {kind: 'gap', id: 'gap'},
    {
      kind: 'action',
      id: 'see',
      label: 'See every change',
      disabled: planned
        ? undefined
        : task.doing
          ? 'the hosts are being compared'
          : 'the hosts have not been compared yet',
      onSelect: () => setView('plan'),
    },
    {
      kind: 'action',
      id: 'again',
      label: task.doing ? 'Stop comparing' : 'Compare again',
      disabled: complete ? undefined : 'answers need attention first',
      onSelect: () => (task.doing ? task.cancel() : look()),
    },
    {
      kind: 'action',
      id: 'export',
      label: 'Export the answers as YAML',
      detail: 'to install again without the wizard',
      onSelect: () => {
        if (rename()) setView('export');
      },
    },
    {
      kind: 'action',
      id: 'install',
      label: planned?.changes === 0 ? 'Install anyway' : 'Install',
      detail: planned ? estimateText(planSeconds(planned.steps)) : '',
      disabled: cannot ?? (wrongName && `the name: ${wrongName}`),
      onSelect: () => {
        if (rename()) setView('install');
      },
    },
    {
      kind: 'action',
      id: 'checklist',
      label: 'Save a checklist for others',
      detail: 'machines, DNS, certificates, firewalls',
      onSelect: () => setView('checklist'),
    },
  ];
  // All answers at one look come before the sentence above them.
  const leadFits = height - lead.lines - 4 >= rows.length;
  const told = failure ? failureText(failure) : undefined;
  const toldLines = told ? wrap(told, readable - 2).length + 1 : exported ? 2 : 0;
  return (
    <Frame title="Review" hints={wizardHints(glyphs)}>
      {leadFits && lead.node}
      {told ? (
        <Box marginBottom={1} flexShrink={0}>
          <Notice tone="bad" columns={readable}>
            {told}
          </Notice>
        </Box>
      ) : (
        exported && (
          <Box marginBottom={1} flexShrink={0}>
            <Notice tone={exported.tone} columns={readable}>
              {exported.text}
            </Notice>
          </Box>
        )
      )}
      <Form rows={rows} columns={readable} height={height - (leadFits ? lead.lines : 0) - toldLines} initial="see" />
    </Frame>
  );
};

const planText = (
  planned: ReturnType<typeof useWizard>['planned'],
  doing: string | undefined,
  failure: Failure | undefined,
): string => {
  if (doing) return `${doing} ...`;
  if (failure) return 'could not be made: see above';
  if (!planned) return 'not made yet';
  if (planned.changes === 0) return `nothing to change: all ${planned.unchanged} are as they should be`;
  return `${counted(planned.changes, 'change')} in ${counted(planned.steps.length, 'step')}; ${planned.unchanged} already in order`;
};

const estimateText = (seconds: number): string => (seconds > 0 ? `takes about ${roughDuration(seconds)}` : '');

const failureText = (failure: Failure): string =>
  [failure.message, failure.cause, failure.remedy].filter(text => text !== undefined).join(' ');

type Obstacles = {
  readonly grave: {readonly path: string; readonly message: string} | undefined;
  readonly blocking: number;
  readonly looking: boolean;
  readonly failure: Failure | undefined;
  readonly planned: boolean;
};

/** Why the installation cannot begin now. */
const installObstacle = ({grave, blocking, looking, failure, planned}: Obstacles): string | undefined => {
  if (grave) return `an answer needs attention: ${grave.path} ${grave.message}`;
  if (looking) return 'the hosts are being compared';
  if (blocking > 0) return `${counted(blocking, 'check')} failed: see Hosts`;
  if (failure) return 'the hosts could not be compared';
  return planned ? undefined : 'the hosts have not been compared yet';
};

const exportTexts = {
  title: 'Export',
  text: 'All answers as one file. It holds no secret, and installs the same thing with: groundwork install --deployment FILE',
  help: 'A path from where you started Groundwork.',
};

const checklistTexts = {
  title: 'Checklist',
  text: 'What others have to provide: machines, SSH access, DNS records, certificates, firewall openings. Filled with what is answered so far, blank elsewhere, to print or to send.',
  help: 'A path from where you started Groundwork. A name that ends in .md gets Markdown, any other text of 80 columns.',
};

const WriteView = ({
  title,
  text,
  help,
  suggestion,
  onWrite,
}: {
  readonly title: string;
  readonly text: string;
  readonly help: string;
  readonly suggestion: string;
  readonly onWrite: (path: string) => void;
}) => {
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const lead = useLead(text);
  const [path, setPath] = useState(suggestion);
  return (
    <Frame title={title} hints={wizardHints(glyphs)}>
      {lead.node}
      <Form
        columns={readable}
        height={height - lead.lines}
        rows={[
          {
            kind: 'text',
            id: 'path',
            label: 'File',
            value: path,
            onChange: setPath,
            help,
          },
          {
            kind: 'action',
            id: 'write',
            label: 'Write it',
            disabled: path.trim() === '' ? 'give a file name first' : undefined,
            onSelect: () => onWrite(path.trim()),
          },
        ]}
      />
    </Frame>
  );
};
