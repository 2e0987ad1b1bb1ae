import {EventEmitter} from 'node:events';
import {fallbackSize, isModeSwitch, type OutputTerminal} from './stdout-guard.ts';

export type SpokenStdout = {
  readonly stdout: NodeJS.WriteStream;
  /** Repeats what was typed, in the line that is being typed. */
  readonly echo: (text: string) => void;
};

/**
 * For screen readers: Ink hands over whole frames, and only the lines that the frame before did not have are printed,
 * one after the other. Nothing is ever erased or drawn over, so nothing is read out twice.
 */
export const spokenStdout = (terminal: OutputTerminal): SpokenStdout => {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  let before = new Set<string>();
  let inLine = false;
  const write = (data: string | Uint8Array, ...more: readonly unknown[]): boolean => {
    const callback = more.find(each => typeof each === 'function') as ((error?: Error | null) => void) | undefined;
    if (isModeSwitch(data)) return terminal.write(data, callback);
    const lines = String(data)
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '');
    const fresh = lines.filter(line => !before.has(line));
    if (lines.length > 0) before = new Set(lines);
    if (fresh.length === 0) {
      callback?.();
      return true;
    }
    const lead = inLine ? '\r\n' : '';
    inLine = false;
    return terminal.write(`${lead}${fresh.join('\r\n')}\r\n`, callback);
  };
  terminal.on('error', () => {});
  const stdout = Object.defineProperties(emitter, {
    columns: {get: () => terminal.columns || fallbackSize.columns},
    rows: {get: () => terminal.rows || fallbackSize.rows},
    isTTY: {value: true},
    writable: {value: true},
    write: {value: write},
  }) as unknown as NodeJS.WriteStream;
  return {
    stdout,
    echo: text => {
      inLine = true;
      terminal.write(text);
    },
  };
};
