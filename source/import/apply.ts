import {nearest} from '../deployment/nearest.ts';
import {type Path, pathOf, valueAt} from '../deployment/problem.ts';
import type {Deployment} from '../deployment/schema.ts';
import {holdsSecret, looksLikeSecretName} from '../deployment/secrets-in-text.ts';
import type {Item} from './item.ts';
import {type Kind, rowOf} from './kinds.ts';
import type {Look, Reading} from './reading.ts';
import type {Setting, SettingsFile} from './settings-file.ts';
import {readAsWritten} from './tables/platform.ts';

/** A file of settings, and what it is. */
export type Document = {
  readonly path: string;
  readonly folder: string;
  readonly kind: Kind;
  readonly file: SettingsFile;
};

/** A setting with the file that it is in. */
type Said = {readonly document: Document; readonly setting: Setting};

export type Applied = {readonly deployment: Deployment; readonly items: readonly Item[]};

/** A copy with another value at a path; groups and lists on the way there are made. */
export const setAt = (value: unknown, [first, ...rest]: Path, inner: unknown): unknown => {
  if (first === undefined) return inner;
  if (typeof first === 'number') {
    const list = Array.isArray(value) ? [...value] : [];
    list[first] = setAt(list[first], rest, inner);
    return list;
  }
  const group = typeof value === 'object' && value !== null ? value : {};
  return {...group, [first]: setAt((group as Record<PropertyKey, unknown>)[first], rest, inner)};
};

const isUnset = ({key, value, written}: Setting): boolean =>
  value === '' && !(written !== '' && readAsWritten.includes(key));

/** The setting that counts for each key: the last one that has a value. */
const effective = (said: readonly Said[]): ReadonlyMap<string, Said> =>
  new Map(said.filter(({setting}) => !isUnset(setting)).map(each => [each.setting.key, each]));

const about = ({document, setting}: Said): Pick<Item, 'file' | 'line' | 'key'> => ({
  file: document.path,
  line: setting.line,
  key: setting.key,
});

const cutNote = ({value, written}: Setting): string | undefined =>
  value !== written && written.includes('#') ? 'OpenG2P’s scripts cut it off at "#"' : undefined;

const joined = (...notes: readonly (string | undefined)[]): {readonly note?: string} => {
  const all = notes.filter(note => note !== undefined);
  return all.length > 0 ? {note: all.join('; ')} : {};
};

const shown = (value: string): string => (value.length > 60 ? `${value.slice(0, 59)}…` : value);

/** Why there is nothing that a value could be put into: what a list holds begins with a setting of its own. */
const noPlace = (deployment: unknown, path: string): string | undefined => {
  const [, entry, list] = /^((environments|hosts)\[\d+\])\./.exec(path) ?? [];
  if (entry === undefined || valueAt(deployment, pathOf(entry)) !== undefined) return undefined;
  return list === 'hosts' ? 'there is no such machine' : 'there is no environment that it could belong to';
};

const itemOf = (said: Said, reading: Reading, deployment: unknown): Item => {
  const {setting} = said;
  switch (reading.outcome) {
    case 'secret':
      return {
        ...about(said),
        outcome: 'secret',
        paths: [],
        note: reading.note,
        ...(reading.vault !== undefined && {vault: reading.vault}),
      };
    case 'left':
    case 'wrong':
      return {...about(said), outcome: reading.outcome, paths: [], note: reading.note};
    default: {
      const paths = Object.keys(reading.sets);
      const missing = paths.map(path => noPlace(deployment, path)).find(why => why !== undefined);
      if (missing !== undefined) return {...about(said), outcome: 'left', paths: [], note: missing};
      const value = setting.value === '' ? setting.written : setting.value;
      return {
        ...about(said),
        outcome: reading.outcome,
        value: shown(value),
        paths,
        ...joined(reading.note, readAsWritten.includes(setting.key) ? undefined : cutNote(setting)),
      };
    }
  }
};

const unknown = (said: Said): Item => {
  const {kind} = said.document;
  const meant = nearest(
    said.setting.key,
    Object.keys(kind.table).filter(key => !key.includes('*')),
  );
  const note = `no such setting${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
  return {...about(said), outcome: looksLikeSecretName(said.setting.key) ? 'secret' : 'unknown', paths: [], note};
};

/** What is said about settings that do not count, because a later one does. */
const overridden = (said: Said, by: Said): Item => {
  const same = said.setting.value === by.setting.value;
  const where = `${by.document.path === said.document.path ? '' : `${by.document.path}, `}line ${by.setting.line}`;
  return {
    ...about(said),
    outcome: 'left',
    paths: [],
    note: same ? `is said again in ${where}` : `${where} says otherwise, and counts`,
  };
};

/** A key without a value that others are grouped under. */
const isGroup = (key: string, {kind, file}: Document): boolean =>
  file.settings.some(setting => setting.key.startsWith(`${key}.`)) || rowOf(kind.table, `${key}.any`) !== undefined;

/**
 * Puts the settings of files into a deployment, each by its row; `others` are settings that rows may look at and that
 * are put in elsewhere. `environment` is the place of the environment that the files are about.
 */
export const applySettings = (
  begun: Deployment,
  documents: readonly Document[],
  {
    others = [],
    environment = 0,
    has,
  }: {readonly others?: readonly Document[]; readonly environment?: number; readonly has: Look['has']},
): Applied => {
  const saidIn = (all: readonly Document[]): readonly Said[] =>
    all.flatMap(document => document.file.settings.map(setting => ({document, setting})));
  const own = saidIn(documents);
  const counting = effective(own);
  const visible = effective([...saidIn(others), ...own]);
  const order = ({document, setting}: Said): number =>
    Object.keys(document.kind.table).indexOf(rowOf(document.kind.table, setting.key)?.id ?? '');

  let deployment: unknown = begun;
  const items: Item[] = [];
  for (const said of own.toSorted((a, b) => order(a) - order(b))) {
    const {document, setting} = said;
    const {kind, folder} = document;
    const row = rowOf(kind.table, setting.key);
    if (row === undefined) {
      if (setting.value !== '' || !isGroup(setting.key, document)) items.push(unknown(said));
      continue;
    }
    if (isUnset(setting)) {
      const note = cutNote(setting);
      if (note !== undefined && setting.written !== '')
        items.push({...about(said), outcome: 'left', paths: [], note: `${note}: nothing is left of it`});
      continue;
    }
    const counts = counting.get(setting.key);
    if (counts !== undefined && counts !== said) {
      items.push(overridden(said, counts));
      continue;
    }
    const look: Look = {
      of: key => visible.get(key)?.setting.value || undefined,
      written: setting.written,
      star: row.star,
      folder,
      environment,
      has,
    };
    const reading: Reading = holdsSecret(setting.written)
      ? {outcome: 'secret', note: 'looks like a key'}
      : (kind.table[row.id]?.(setting.value, look) ?? {outcome: 'left', note: 'is not known'});
    const item = itemOf(said, reading, deployment);
    items.push(item);
    if ((item.outcome === 'taken' || item.outcome === 'changed') && 'sets' in reading) {
      for (const [path, value] of Object.entries(reading.sets)) deployment = setAt(deployment, pathOf(path), value);
    }
  }
  return {deployment: deployment as Deployment, items};
};

/** Lines that are no settings, told like settings without a name. */
export const passedOver = ({path, file}: Document): readonly Item[] =>
  file.passedOver.map(({line, why}) => ({
    file: path,
    line,
    key: '',
    outcome: 'unknown',
    paths: [],
    note: `${why}, which OpenG2P’s scripts pass over`,
  }));
