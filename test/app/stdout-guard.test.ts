import {EventEmitter} from 'node:events';
import {describe, expect, test, vi} from 'vitest';
import {guardStdout} from '../../source/app/stdout-guard.ts';

const terminalOf = (columns: number, rows: number) => {
  const written: string[] = [];
  const emitter = new EventEmitter();
  const terminal = {
    columns,
    rows,
    write: (data: string | Uint8Array, callback?: (error?: Error | null) => void) => {
      written.push(String(data));
      callback?.();
      return true;
    },
    on: (event: string, listener: () => void) => emitter.on(event, listener),
    off: (event: string, listener: () => void) => emitter.off(event, listener),
  };
  return {terminal, written, emit: (event: string, ...told: unknown[]) => emitter.emit(event, ...told)};
};

describe('the terminal behind the guard', () => {
  test.each([
    [0, 0, 80, 24],
    [0, 50, 80, 50],
    [132, 43, 132, 43],
  ])('that reports %ix%i is %ix%i', (columns, rows, guardedColumns, guardedRows) => {
    const {stdout} = guardStdout(terminalOf(columns, rows).terminal);
    expect([stdout.columns, stdout.rows]).toEqual([guardedColumns, guardedRows]);
  });

  test('is drawn anew once when it has come to rest, and not before', async () => {
    const {terminal, written, emit} = terminalOf(80, 24);
    const {stdout, onRedraw} = guardStdout(terminal);
    const forget = vi.fn(() => written.push('forgotten'));
    onRedraw(forget);
    stdout.on('resize', () => stdout.write(`frame of ${stdout.columns}`));
    for (const columns of [90, 100, 110, 120]) {
      terminal.columns = columns;
      emit('resize');
      stdout.write('torn frame');
    }
    expect(stdout.columns).toBe(80);
    await vi.waitFor(() => expect(written).toContain('frame of 120'));
    expect(written).toEqual(['forgotten', '\u001b[H\u001b[J', 'frame of 120']);
  });

  test('keeps the cursor and bracketed paste as they are told, in the middle of a change too', () => {
    const {terminal, written, emit} = terminalOf(80, 24);
    const {stdout} = guardStdout(terminal);
    emit('resize');
    stdout.write('\u001b[?25h');
    stdout.write('\u001b[?2004l');
    expect(written).toEqual(['\u001b[?25h', '\u001b[?2004l']);
  });

  test('may go away without taking the program with it', () => {
    const {terminal, emit} = terminalOf(80, 24);
    guardStdout(terminal);
    expect(() => emit('error', new Error('EIO'))).not.toThrow();
  });

  test('is left alone while somebody else has it', async () => {
    const {terminal, written, emit} = terminalOf(80, 24);
    const guard = guardStdout(terminal);
    guard.suspend(true);
    terminal.columns = 100;
    emit('resize');
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(written).toEqual([]);
    guard.suspend(false);
    await vi.waitFor(() => expect(guard.stdout.columns).toBe(100));
    guard.close();
  });
});
