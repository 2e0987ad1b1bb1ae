import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** What openssl printed on both streams, and whether it was content. */
export type Verdict = {readonly accepted: boolean; readonly text: string};

/** Runs the real openssl in a folder that holds the given files. */
export const openssl = (args: readonly string[], files: Readonly<Record<string, string>> = {}): Verdict => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-openssl-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const {status, stdout, stderr} = spawnSync('openssl', args, {cwd: folder, encoding: 'utf8'});
  rmSync(folder, {recursive: true});
  return {accepted: status === 0, text: `${stdout}${stderr}`};
};

/** A key pair as a step makes it on a host: openssl writes the private key, and its public half goes to the authority. */
export const hostKeys = (algorithm: readonly string[]): {readonly privateKey: string; readonly publicKey: string} => {
  const privateKey = execFileSync('openssl', ['genpkey', ...algorithm], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const publicKey = execFileSync('openssl', ['pkey', '-pubout'], {input: privateKey, encoding: 'utf8'});
  return {privateKey, publicKey};
};

export const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
export const rsa = (bits: number) => ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`];
