import {Box} from 'ink';
import {Say, type Tone, useTheme} from '../source/app/theme.tsx';
import {column, duration, printable, widthOf} from '../source/components/text.ts';
import type {RunView, StepView} from '../source/engine/run-view.ts';
import {afterText} from './run-step.ts';

export type HostLine = {readonly host: string; readonly text: string; readonly seconds: string; readonly tone: Tone};

const open: readonly StepView['state'][] = ['running', 'pending', 'waiting'];

/** What each host does at the moment, or what it waits for: those at work first where not all have a line. */
export const hostLines = (view: RunView, now: number, most: number): readonly HostLine[] => {
  const names = [...new Set(view.steps.map(({host}) => host))];
  if (names.length < 2) return [];
  const lines = names.map((host): HostLine & {readonly rank: number} => {
    const own = view.steps.filter(step => step.host === host);
    const running = own.find(({state}) => state === 'running');
    if (running) {
      const since = running.startedAt === undefined ? 0 : (now - Date.parse(running.startedAt)) / 1000;
      const doing = running.doing ? `: ${printable(running.doing)}` : '';
      return {host, text: `${running.title}${doing}`, seconds: duration(since), tone: 'accent', rank: 0};
    }
    const failed = own.find(({state}) => state === 'failed');
    const next = own.find(({state}) => state === 'pending');
    if (next) {
      const tone = failed ? 'bad' : 'quiet';
      return {host, text: `waits: ${next.title} ${afterText(next, view)}`, seconds: '', tone, rank: failed ? 1 : 2};
    }
    if (failed) return {host, text: `${failed.title} FAILED`, seconds: '', tone: 'bad', rank: 1};
    const left = own.filter(({state}) => !open.includes(state) && state === 'blocked').length;
    if (left > 0)
      return {host, text: `left for later: ${left} of ${own.length} steps`, seconds: '', tone: 'bad', rank: 1};
    const waiting = own.find(({state}) => state === 'waiting');
    if (waiting) return {host, text: `${waiting.title} waits for you`, seconds: '', tone: 'warning', rank: 1};
    return {host, text: `done, ${own.length} of ${own.length} steps`, seconds: '', tone: 'quiet', rank: 3};
  });
  if (lines.length <= most) return lines;
  const shown = lines.toSorted((a, b) => a.rank - b.rank).slice(0, most);
  return lines.filter(line => shown.includes(line));
};

type Props = {readonly lines: readonly HostLine[]; readonly columns: number};

/** One line for each host. */
export const RunHosts = ({lines, columns}: Props) => {
  const {glyphs} = useTheme();
  const hostColumns = Math.max(0, ...lines.map(({host}) => widthOf(host)));
  return (
    <Box flexDirection="column" flexShrink={0}>
      {lines.map(({host, text, seconds, tone}) => (
        <Say key={host} tone={tone} wrap="truncate-end">
          {`${column(host, hostColumns)}  ${column(text, columns - hostColumns - 2 - 8, 'left', glyphs.ellipsis)}${seconds.padStart(8)}`}
        </Say>
      ))}
    </Box>
  );
};
