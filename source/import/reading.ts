import {parseAddress, subnetOf} from '../network/address.ts';
import {err, ok, type Result} from '../result.ts';

/** What becomes of the value of one setting. */
export type Reading =
  /** `sets` are values of the deployment by their path there; what is wrong with one, the deployment's own checks tell. */
  | {
      readonly outcome: 'taken' | 'changed';
      readonly sets: Readonly<Record<string, unknown>>;
      readonly note?: string | undefined;
    }
  | {readonly outcome: 'left'; readonly note: string}
  /** Never shown and never in a deployment. `vault` is the name that Groundwork keeps it under, if it wants it at all. */
  | {readonly outcome: 'secret'; readonly note: string; readonly vault?: string}
  | {readonly outcome: 'wrong'; readonly note: string};

/** What a reading may look at beside its own value. */
export type Look = {
  /** The value of another setting; undefined when it is not there or empty. */
  readonly of: (key: string) => string | undefined;
  /** The value as it stands in the file, where the scripts may see less. */
  readonly written: string;
  /** What `*` stands for in the key of the row. */
  readonly star: string;
  /** The folder of the file, which relative paths in it begin at. */
  readonly folder: string;
  /** The place of the environment that the settings are about among those of the deployment. */
  readonly environment: number;
  /** Whether a file of a kind is among those that are read. */
  readonly has: (kind: string) => boolean;
};

export type Row = (value: string, look: Look) => Reading;

/** Settings of one kind of file, by key; `*` stands for one word. They are applied in this order. */
export type Table = Readonly<Record<string, Row>>;

/** Stands in notes for the name of the deployment, which is chosen after the files were read. */
export const deploymentName = '{deployment}';

export const taken = (sets: Readonly<Record<string, unknown>>, note?: string): Reading => ({
  outcome: 'taken',
  sets,
  note,
});
export const changed = (note: string, sets: Readonly<Record<string, unknown>> = {}): Reading => ({
  outcome: 'changed',
  sets,
  note,
});
export const leftOut = (note: string): Reading => ({outcome: 'left', note});

/** A setting that is not taken over, and what to do instead. */
export const left =
  (note: string): Row =>
  () =>
    leftOut(note);

/** A secret that Groundwork wants too: it can be put into the vault under this name. */
export const secretFor =
  (vault: string): Row =>
  () => ({outcome: 'secret', vault, note: 'bring it into the vault'});

/** A secret that Groundwork has no use for. */
export const secretLeft =
  (note: string): Row =>
  () => ({outcome: 'secret', note});

/** A text that is a value of the deployment as it is. */
export const text =
  (path: string): Row =>
  value =>
    taken({[path]: value});

/** Names are the same in capitals; Groundwork writes them small. */
export const lowerCase =
  (path: string): Row =>
  value =>
    value === value.toLowerCase()
      ? taken({[path]: value})
      : changed('is written in lower case', {[path]: value.toLowerCase()});

export const wholeNumber = (value: string): Result<number, string> =>
  /^\d{1,9}$/.test(value) ? ok(Number(value)) : err(`"${value}" is not a whole number`);

export const number =
  (path: string): Row =>
  value => {
    const read = wholeNumber(value);
    return read.ok ? taken({[path]: read.value}) : {outcome: 'wrong', note: read.error};
  };

/** An address with the length of its prefix stands for the subnet that it is in, as firewalls read it too. */
const subnetAround = (value: string): string | undefined => {
  const [, address = '', prefix = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(value) ?? [];
  return parseAddress(address).ok && Number(prefix) <= 32 ? subnetOf(address, Number(prefix)) : undefined;
};

/** A subnet in its canonical form, with what was changed about it; what is none stays as it is. */
export const subnetText = (value: string): {readonly cidr: string; readonly note?: string} => {
  const around = subnetAround(value);
  return around === undefined || around === value ? {cidr: value} : {cidr: around, note: `${value} lies in ${around}`};
};

export const subnet =
  (path: string): Row =>
  value => {
    const {cidr, note} = subnetText(value);
    return note === undefined ? taken({[path]: cidr}) : changed(note, {[path]: cidr});
  };
