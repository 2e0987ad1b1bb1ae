import type {PlannedStep, RunEvent} from '../engine/events.ts';
import {failureLines} from './failure-lines.ts';

/** Words that an operator reads in a column, all of one width. */
const words = {
  pending: 'PENDING',
  running: 'RUNNING',
  changed: 'CHANGED',
  unchanged: 'OK',
  failed: 'FAILED',
  waiting: 'WAITING',
  skipped: 'SKIPPED',
  blocked: 'BLOCKED',
  stopped: 'STOPPED',
} as const;

const plannedLine = ({title, host, resources, undecided, awaits}: PlannedStep): readonly string[] => {
  const count = resources.filter(({changes}) => changes.length > 0).length;
  if (awaits) return [`  ${title} on ${host}: waits until ${awaits.join('; ')}`];
  if (undecided) return [`  ${title} on ${host}: decided after ${undecided}`];
  return count > 0 ? [`  ${title} on ${host}: ${count} to change`] : [];
};

/** What is waited for, who has to do what, and when it is looked at again. */
const waitingLines = ({host, step, missing, inSeconds}: Extract<RunEvent, {type: 'waiting'}>): readonly string[] => [
  `${host}: ${step}: ${words.waiting} for you; looked at again in ${inSeconds} s, while everything else goes on`,
  ...missing.flatMap(({title, found, how}) => [`  until ${title}`, `    found: ${found} (${how})`]),
  ...[...new Set(missing.map(({remedy}) => remedy))].filter(Boolean).map(remedy => `  what to do: ${remedy}`),
];

/** What one event says on plain lines; nothing for events that only screens need. No colour, no cursor movement. */
export const plainLines = (event: RunEvent): readonly string[] => {
  switch (event.type) {
    case 'run.started':
      return [
        `Run ${event.run} of ${event.deployment}${event.resumed ? ', resumed' : ''}${event.practice ? ', on practice hosts' : ''}`,
      ];
    case 'host.connected':
      return [`${event.host}: connected (${event.address})`];
    case 'plan':
      return event.changes === 0
        ? [`Nothing to change; ${event.unchanged} as they should be`]
        : [`${event.changes} to change, ${event.unchanged} as they should be`, ...event.steps.flatMap(plannedLine)];
    case 'step.started':
      return event.attempt > 1 ? [`${event.host}: ${event.step}: attempt ${event.attempt}`] : [];
    case 'resource.started':
      return [`${event.host}: ${event.step}: ${event.doing}`];
    // Of the log only this: without it a run that waits for another program's package lock looks as if it hangs.
    case 'log':
      return event.line.startsWith('waiting: ') ? [`${event.host}: ${event.step}: ${event.line}`] : [];
    case 'step.finished':
      return [
        `${event.host}: ${event.step}: ${words[event.state]}${event.changed > 0 ? `, ${event.changed} changed` : ''}${event.heldBy === undefined ? '' : ` by ${event.heldBy}`} (${event.seconds} s)`,
        ...(event.failure ? failureLines(event.failure) : []),
      ];
    case 'verified':
      return event.passed ? [] : [`${event.host}: ${event.step}: not true: ${event.title}: ${event.detail}`];
    case 'retry.scheduled':
      return [`${event.host}: ${event.step}: tries again in ${event.inSeconds} s: ${event.reason}`];
    case 'waiting':
      return event.news ? waitingLines(event) : [];
    case 'answer':
      return event.by === 'policy' ? [`Nobody is asked here: ${event.answer}`] : [];
    case 'check.accepted':
      return [`${event.host}: check ${event.check} was accepted: ${event.found}`];
    case 'problem':
      return failureLines(event.failure);
    case 'paused':
      return ['PAUSED: nothing new begins'];
    case 'continued':
      return ['Goes on'];
    case 'run.finished':
      return [`Run ${event.outcome}: ${event.changed} changed, ${event.unchanged} unchanged, ${event.failed} failed`];
    default:
      return [];
  }
};
