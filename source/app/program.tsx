import {createContext, use, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore} from 'react';
import type {Deployment} from '../deployment/schema.ts';
import type {RunSession} from './run-session.ts';
import type {Services} from './services.ts';
import type {Wizard, WizardState} from './wizard.ts';

/** What screens get from the program around them. */
export type Program = {
  readonly services: Services;
  readonly wizard: Wizard;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The run that is on or was the last of this session. */
  readonly session: () => RunSession | undefined;
  readonly startSession: (
    deployment: Deployment,
    mode: WizardState['mode'],
    options?: {readonly takeOver?: boolean},
  ) => RunSession;
  /** Hands the terminal to a program until it ends; undefined when it could not be started. */
  readonly runInTerminal: (command: readonly string[]) => Promise<number | undefined>;
  readonly leave: () => void;
  readonly crash: (error: unknown) => void;
};

const ProgramContext = createContext<Program | undefined>(undefined);

export const ProgramProvider = ProgramContext.Provider;

export const useProgram = (): Program => {
  const program = use(ProgramContext);
  if (!program) throw new Error('a screen is shown outside the program');
  return program;
};

export const useWizard = (): WizardState => {
  const {wizard} = useProgram();
  return useSyncExternalStore(wizard.subscribe, wizard.get);
};

/** The deployment that the wizard is about. Screens other than Home are shown only when there is one. */
export const useDeployment = (): Deployment => {
  const {deployment} = useWizard();
  if (!deployment) throw new Error('this screen needs a deployment');
  return deployment;
};

export type Task = {
  /** What is being done, for the screen; undefined when nothing is. */
  readonly doing: string | undefined;
  readonly start: (doing: string, work: (signal: AbortSignal) => Promise<void>) => void;
  readonly cancel: () => void;
};

/** One piece of work at a time, which ends when the screen goes. Faults are values; what is thrown is a bug. */
export const useTask = (): Task => {
  const {crash} = useProgram();
  const current = useRef<AbortController>(undefined);
  const [doing, setDoing] = useState<string>();
  useEffect(() => () => current.current?.abort(), []);
  const start = useCallback(
    (what: string, work: (signal: AbortSignal) => Promise<void>): void => {
      current.current?.abort();
      const controller = new AbortController();
      current.current = controller;
      setDoing(what);
      work(controller.signal)
        .catch(error => {
          if (!controller.signal.aborted) crash(error);
        })
        .finally(() => {
          if (current.current === controller) setDoing(undefined);
        });
    },
    [crash],
  );
  const cancel = useCallback(() => {
    current.current?.abort();
    current.current = undefined;
    setDoing(undefined);
  }, []);
  return useMemo(() => ({doing, start, cancel}), [doing, start, cancel]);
};
