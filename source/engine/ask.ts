import type {NewEvent} from './events.ts';
import type {AskPort, ControlPort, RunPorts} from './ports.ts';

/**
 * Asks one question at a time, in the order in which they came up, and tells question and answer as events. A run
 * that is stopped meanwhile answers `stop` to what is still open, and so does an answer that was not offered: nothing
 * is skipped that must not be.
 */
export const askInTurn = (
  {ask, control, marker}: Pick<RunPorts, 'ask' | 'control' | 'marker'>,
  emit: (event: NewEvent) => void,
): AskPort => {
  const stop = {choice: 'stop', by: 'operator' as const};
  const stopped = new Promise<typeof stop>(resolve => {
    if (control.signal.aborted) resolve(stop);
    else control.signal.addEventListener('abort', () => resolve(stop), {once: true});
  });
  let turn: Promise<unknown> = Promise.resolve();
  return (question, signal) => {
    const asked = turn.then(async () => {
      if (control.signal.aborted) return stop;
      const id = marker();
      emit({type: 'question', id, question});
      const given = await Promise.race([ask(question, signal), stopped]);
      const answer = (question.choices as readonly string[]).includes(given.choice)
        ? given
        : {...given, choice: 'stop'};
      emit({type: 'answer', id, answer: answer.choice, by: answer.by});
      return answer;
    });
    turn = asked.catch(() => undefined);
    return asked;
  };
};

/** Control that tells when the run comes to a hold because the operator paused it, and when it goes on. */
export const tellingPauses = (control: ControlPort, emit: (event: NewEvent) => void): ControlPort => {
  let holding = 0;
  return {
    ...control,
    whenRunning: async () => {
      let running = false;
      const wait = control.whenRunning().then(() => {
        running = true;
      });
      // A promise that is settled already needs a few turns to say so.
      for (let turn = 0; turn < 5 && !running; turn += 1) await Promise.resolve();
      if (running) return;
      holding += 1;
      if (holding === 1) emit({type: 'paused'});
      await wait;
      holding -= 1;
      if (holding === 0 && !control.signal.aborted) emit({type: 'continued'});
    },
  };
};
