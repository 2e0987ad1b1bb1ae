import {cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {projectRoot} from '../support/terminal.ts';

/** How the sandbox's one machine stands in the bundle. */
const oneMachine = /(id: ?"sandbox",\s*title: ?"sandbox machine",\s*count: ?\{ ?min: ?1, max: ?)1( ?\})/g;

/**
 * A copy of the program as it is shipped, in which a sandbox may have 64 machines instead of one: nothing else is
 * changed, so that what is measured is the program itself, from its launcher to its last line.
 */
export const programForMany = (folder: string): string => {
  rmSync(folder, {recursive: true, force: true});
  for (const part of ['bin', 'runtime', 'dist']) mkdirSync(join(folder, part), {recursive: true});
  cpSync(join(projectRoot, 'dist'), join(folder, 'dist'), {recursive: true, filter: path => !path.endsWith('.map')});
  for (const file of ['package.json', 'bin/groundwork']) cpSync(join(projectRoot, file), join(folder, file));
  symlinkSync(process.execPath, join(folder, 'runtime', 'node'));
  const bundle = join(folder, 'dist', 'groundwork.js');
  const text = readFileSync(bundle, 'utf8');
  if ([...text.matchAll(oneMachine)].length !== 1)
    throw new Error('the sandbox of one machine was not found in the bundle: see test/bench/program.ts');
  writeFileSync(
    bundle,
    text.replace(oneMachine, (_, before: string, after: string) => `${before}64${after}`),
  );
  return join(folder, 'bin', 'groundwork');
};
