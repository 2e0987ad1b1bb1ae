import {execa} from 'execa';
import type {Connection} from '../../source/hosts/connection.ts';
import {err, ok} from '../../source/result.ts';

/** This machine as a host, as the user that runs the tests: nothing but a bash that reads the script. */
export const localBash = (): Connection => ({
  host: 'here',
  address: '127.0.0.1',
  user: process.env.USER ?? 'tester',
  run: async (script, {timeoutMs = 20_000} = {}) => {
    const {exitCode, stdout, stderr} = await execa('bash', ['-s'], {
      input: script.text,
      reject: false,
      timeout: timeoutMs,
      stripFinalNewline: false,
    });
    if (exitCode === undefined) return err({kind: 'timeout', message: 'the script did not end in time'});
    return ok({code: exitCode, stdout, stderr, truncated: false});
  },
  close: async () => {},
});
