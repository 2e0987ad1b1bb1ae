import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useTask} from '../source/app/program.tsx';
import {firstRouteWith, titles} from '../source/app/routes.ts';
import {useTheme} from '../source/app/theme.tsx';
import {freeName} from '../source/app/wizard.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {Notice} from '../source/components/notice.tsx';
import {ReadingPane} from '../source/components/reading-pane.tsx';
import {wrap} from '../source/components/text.ts';
import type {Imported} from '../source/import/item.ts';
import {reportLines, reportSections} from '../source/import/report.ts';
import {wizardHints} from './hints.ts';

/** Files are separated by commas: a path may hold blanks. */
const pathsIn = (text: string): readonly string[] =>
  text
    .split(',')
    .map(path => path.trim())
    .filter(path => path !== '');

/** Settings that people have already, as the answers of a new deployment. */
export const ImportScreen = () => {
  const {services, wizard} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const lead = useLead(
    "OpenG2P's prod-config.yaml and its kin, an Ansible inventory, or exported answers. Nothing is installed yet.",
  );
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const [imported, setImported] = useState<Imported>();
  const task = useTask();
  const paths = pathsIn(text);
  const read = (): void =>
    task.start('Reading', async signal => {
      const result = await services.importSettings(paths);
      if (signal.aborted) return;
      if (!result.ok) setProblem(result.error);
      else
        setImported({
          ...result.value,
          deployment: {...result.value.deployment, name: freeName(services, result.value.deployment.name)},
        });
    });
  if (imported)
    return (
      <Report
        imported={imported}
        onBack={() => setImported(undefined)}
        onGo={route => wizard.begin(imported.deployment, route)}
      />
    );
  // What is wrong with many lines of a file would push the field off the screen.
  const told = problem === undefined ? [] : wrap(problem, readable - 2).slice(0, Math.max(1, height - lead.lines - 7));
  return (
    <Frame title="Import existing settings" hints={wizardHints(glyphs)}>
      {lead.node}
      {problem !== undefined && (
        <Box marginBottom={1} flexShrink={0}>
          <Notice tone="bad" columns={readable}>
            {told.join('\n')}
          </Notice>
        </Box>
      )}
      <Form
        columns={readable}
        height={height - lead.lines - (told.length > 0 ? told.length + 1 : 0)}
        rows={[
          {
            kind: 'text',
            id: 'path',
            label: 'Files',
            value: text,
            onChange: typed => {
              setText(typed);
              setProblem(undefined);
            },
            joiner: ', ',
            placeholder: 'for example prod-config.yaml, provision-output.yaml',
            help: 'Paths from where you started Groundwork, separated by commas: what belongs together, together.',
          },
          {
            kind: 'action',
            id: 'read',
            label: 'Read',
            detail: 'shows what will be taken over, and what not',
            disabled: paths.length === 0 ? 'name a file first' : undefined,
            onSelect: read,
          },
        ]}
      />
    </Frame>
  );
};

type ReportProps = {
  readonly imported: Imported;
  readonly onBack: () => void;
  readonly onGo: (route: ReturnType<typeof firstRouteWith>) => void;
};

/** What became of every line, the most pressing first, and the way on. */
const Report = ({imported, onBack, onGo}: ReportProps) => {
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const open = imported.problems.filter(({severity}) => severity === 'error');
  const route = firstRouteWith(open.map(({path}) => path));
  const lead = useLead(`${imported.deployment.name} is not kept before you go on. Enter goes on at: ${titles[route]}.`);
  useKeys(key => {
    if (key.name === 'escape') onBack();
    else if (key.name === 'enter') onGo(route);
    else return false;
    return true;
  });
  return (
    <Frame
      title="What was read"
      hints={[
        {keys: glyphs.upDown, does: 'read'},
        {keys: 'Enter', does: 'go on'},
        {keys: 'Esc', does: 'back'},
        {keys: 'PgUp, PgDn', does: 'by screens', hidden: true},
        {keys: '?', does: 'keys'},
      ]}
    >
      {lead.node}
      <ReadingPane
        lines={reportLines(reportSections(imported).toReversed())}
        columns={readable}
        height={height - lead.lines}
      />
    </Frame>
  );
};
