import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {blueprints} from '../../source/blueprints/index.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {firstAnswers} from '../../source/commands/first-answers.ts';
import {problemsOf} from '../../source/deployment/validate.ts';
import {type ImportedFile, importFiles} from '../../source/import/import.ts';
import type {Imported, Item} from '../../source/import/item.ts';

/** The path of a file below fixtures/import. */
export const importPath = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/import/${name}`, import.meta.url));

export const importText = (name: string): string => readFileSync(importPath(name), 'utf8');

export const fixture = (name: string): ImportedFile => ({path: name, text: importText(name)});

/** Imports texts as the program does; the error as it is told. */
export const importing = (...files: readonly ImportedFile[]) =>
  importFiles(files, {
    blueprint: openg2p,
    begin: topology => firstAnswers(openg2p, openg2p.id, topology),
    problems: deployment => problemsOf(deployment, blueprints),
  });

export const imported = (...files: readonly ImportedFile[]): Imported => {
  const result = importing(...files);
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

export const refused = (...files: readonly ImportedFile[]): string => {
  const result = importing(...files);
  if (result.ok) throw new Error('this should not be imported');
  return result.error;
};

export const itemOf = ({items}: Imported, key: string, file?: string): Item => {
  const found = items.find(item => item.key === key && (file === undefined || item.file === file));
  if (!found) throw new Error(`nothing is said about ${key}`);
  return found;
};
