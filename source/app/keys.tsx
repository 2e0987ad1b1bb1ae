import {useInput, usePaste} from 'ink';
import {createContext, type ReactNode, use, useLayoutEffect, useMemo, useRef} from 'react';

export type KeyName =
  | 'text'
  | 'paste'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backtab'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'pageup'
  | 'pagedown'
  | 'backspace'
  | 'delete';

/** One key. `text` is what a `text` key types, what was pasted, or the letter that went with Ctrl or Alt. */
export type KeyPress = {
  readonly name: KeyName;
  readonly text: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
};

/** Says whether the key was meant for it; if not, the next handler is asked. */
export type KeyHandler = (key: KeyPress) => boolean;

/** Who is asked first: a text field before its screen, the screen before the program. */
export const priority = {program: 0, screen: 10, control: 20, always: 100} as const;

type Registration = {readonly priority: number; readonly handler: {current: KeyHandler}};

type Keyboard = {
  readonly register: (registration: Registration) => () => void;
  /** For a moment no key answers; see `KeyFeed`. */
  readonly settle: (milliseconds?: number) => void;
};

const nothing: Keyboard = {register: () => () => {}, settle: () => {}};

const KeyboardContext = createContext<Keyboard>(nothing);
const LayerContext = createContext(true);

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1];

const nameOf = (input: string, key: InkKey): KeyName | undefined => {
  if (key.upArrow) return 'up';
  if (key.downArrow) return 'down';
  if (key.leftArrow) return 'left';
  if (key.rightArrow) return 'right';
  if (key.return || (input === '\n' && !key.meta)) return 'enter';
  if (key.escape) return 'escape';
  if (key.tab) return key.shift ? 'backtab' : 'tab';
  if (key.home) return 'home';
  if (key.end) return 'end';
  if (key.pageUp) return 'pageup';
  if (key.pageDown) return 'pagedown';
  if (key.backspace) return 'backspace';
  if (key.delete) return 'delete';
  return input === '' ? undefined : 'text';
};

type Props = {
  readonly feed?: Pick<Keyboard, 'settle'>;
  /** A handler threw: a bug, which must end in the error screen and not in a dead terminal. */
  readonly onCrash: (error: unknown) => void;
  readonly children: ReactNode;
};

/** Gives every key to the handlers below it, the most specific first, until one takes it. */
export const KeyboardProvider = ({feed, onCrash, children}: Props) => {
  const registrations = useRef<Registration[]>([]);
  const keyboard = useMemo<Keyboard>(
    () => ({
      register: registration => {
        registrations.current.push(registration);
        return () => {
          registrations.current = registrations.current.filter(each => each !== registration);
        };
      },
      settle: milliseconds => feed?.settle(milliseconds),
    }),
    [feed],
  );
  const dispatch = (key: KeyPress): void => {
    const inTurn = registrations.current.map((registration, index) => ({registration, index}));
    inTurn.sort((a, b) => b.registration.priority - a.registration.priority || b.index - a.index);
    try {
      for (const {registration} of inTurn) if (registration.handler.current(key)) return;
    } catch (error) {
      onCrash(error);
    }
  };
  return (
    <KeyboardContext value={keyboard}>
      <KeyReader onKey={dispatch} />
      {children}
    </KeyboardContext>
  );
};

/** A sibling before everything else, so that Ink calls it first: what it changes is there when ink-select-input acts. */
const KeyReader = ({onKey}: {readonly onKey: (key: KeyPress) => void}) => {
  useInput((input, key) => {
    const name = nameOf(input, key);
    if (name) onKey({name, text: input, ctrl: key.ctrl, alt: key.meta && name !== 'escape'});
  });
  usePaste(text => onKey({name: 'paste', text, ctrl: false, alt: false}));
  return null;
};

type KeysOptions = {readonly active?: boolean; readonly priority?: number};

/** Handles keys while the component is on the screen and its layer is the uppermost. */
export const useKeys = (handler: KeyHandler, options: KeysOptions = {}): void => {
  const {active = true, priority: rank = priority.screen} = options;
  const keyboard = use(KeyboardContext);
  const uppermost = use(LayerContext) || rank === priority.always;
  const latest = useRef(handler);
  useLayoutEffect(() => {
    latest.current = handler;
  });
  const listening = active && uppermost;
  // With the frame and not after it, or a key that comes at once after a screen that came by itself meets nobody.
  useLayoutEffect(
    () => (listening ? keyboard.register({priority: rank, handler: latest}) : undefined),
    [keyboard, listening, rank],
  );
};

export const useKeyboard = (): Keyboard => use(KeyboardContext);

/** Whether the layer that a component belongs to is the uppermost: what lies below an overlay takes no keys. */
export const useLayerActive = (): boolean => use(LayerContext);

export const Layer = ({active, children}: {readonly active: boolean; readonly children: ReactNode}) => {
  const above = use(LayerContext);
  return <LayerContext value={active && above}>{children}</LayerContext>;
};
