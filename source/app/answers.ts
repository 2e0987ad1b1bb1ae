import {useMemo} from 'react';
import type {ActionRow, ChoiceRow, Row, TextRow} from '../components/row.ts';
import type {Deployment} from '../deployment/schema.ts';
import {useDeployment, useProgram, useWizard} from './program.tsx';
import {nextRoute} from './routes.ts';

export type Problem = ReturnType<ReturnType<typeof useProgram>['services']['problems']>[number];

type Bound<T> = {
  /** Where its problems are reported: `network.privateSubnet`. */
  readonly path: string;
  readonly label: string;
  readonly value: T;
  readonly set: (deployment: Deployment, value: T) => Deployment;
  readonly help?: string;
  readonly placeholder?: string;
};

/** Whether a problem concerns a field or something in it: an entry of its list. */
export const concerns = (problem: Problem, path: string): boolean =>
  problem.path === path || problem.path.startsWith(`${path}[`) || problem.path.startsWith(`${path}.`);

const isError = (problem: Problem): boolean => problem.severity !== 'warning';

/** Entries as they are typed: separated by commas or blanks. */
export const listFrom = (text: string): string[] => text.split(/[\s,;]+/).filter(entry => entry !== '');

/**
 * Rows of a form that are bound to fields of the deployment: what is typed is checked and saved at once. What cannot be
 * a value yet (a number that is being typed) stays as text, so that going back and forth does not lose it.
 */
export const useAnswers = () => {
  const {services, wizard} = useProgram();
  const {texts} = useWizard();
  const deployment = useDeployment();
  const problems = useMemo(() => services.problems(deployment), [services, deployment]);

  const problemAt = (path: string): Pick<TextRow, 'error' | 'warning'> => ({
    error: problems.find(each => isError(each) && concerns(each, path))?.message,
    warning: problems.find(each => !isError(each) && concerns(each, path))?.message,
  });

  const text = ({path, label, value, set, help, placeholder}: Bound<string>): TextRow => ({
    kind: 'text',
    id: path,
    label,
    value,
    onChange: typed => wizard.change(current => set(current, typed.trim())),
    ...problemAt(path),
    ...(help && {help}),
    ...(placeholder && {placeholder}),
  });

  /** A text of several words. The blank after a word is kept while the next one is not typed yet. */
  const phrase = ({path, value, ...rest}: Bound<string>): TextRow => {
    const typing = texts[path];
    const row = text({...rest, path, value: typing?.trim() === value ? typing : value});
    return {
      ...row,
      onChange: typed => {
        wizard.type(path, typed);
        row.onChange(typed);
      },
      onCommit: () => wizard.type(path, undefined),
    };
  };

  /** The text is kept beside the value; the two part while it is no number. */
  const number = ({value, path, set, ...rest}: Bound<number>): TextRow => ({
    ...text({...rest, path, value: texts[path] ?? (Number.isNaN(value) ? '' : String(value)), set: current => current}),
    onChange: typed => {
      wizard.type(path, typed);
      wizard.change(current => set(current, /^\d{1,9}$/.test(typed.trim()) ? Number(typed) : Number.NaN));
    },
  });

  /** A number that names something and may have a sign: a chat of Telegram. 0 stands for none. */
  const identifier = ({value, path, set, ...rest}: Bound<number>): TextRow => ({
    ...text({...rest, path, value: texts[path] ?? (value === 0 ? '' : String(value)), set: current => current}),
    onChange: typed => {
      wizard.type(path, typed);
      wizard.change(current => set(current, /^-?\d{1,15}$/.test(typed.trim()) ? Number(typed) : 0));
    },
  });

  const list = ({value, path, set, ...rest}: Bound<readonly string[]>): TextRow => ({
    ...text({...rest, path, value: texts[path] ?? value.join(', '), set: current => current}),
    joiner: ', ',
    onChange: typed => {
      wizard.type(path, typed);
      wizard.change(current => set(current, listFrom(typed)));
    },
    onCommit: () => wizard.type(path, undefined),
  });

  const choice = <T extends string>({
    path,
    label,
    value,
    set,
    help,
    options,
  }: Bound<T> & {
    readonly options: readonly {readonly value: T; readonly label: string; readonly help?: string}[];
  }): ChoiceRow => ({
    kind: 'choice',
    id: path,
    label,
    value,
    options,
    onChange: chosen => {
      const option = options.find(each => each.value === chosen);
      if (option) wizard.change(current => set(current, option.value));
    },
    ...problemAt(path),
    ...(help && {help}),
  });

  /** The way on, barred while an answer below these paths is wrong; the row that it is in is named. */
  const onward = (paths: readonly string[], rows: readonly Row[] = []): ActionRow => {
    const wrong = problems.find(each => isError(each) && paths.some(path => concerns(each, path)));
    const row = rows.find(each => 'error' in each && each.error !== undefined);
    return {
      kind: 'action',
      id: 'continue',
      label: 'Continue',
      disabled: wrong && (row && 'error' in row ? `${row.label}: ${row.error}` : `${wrong.path} ${wrong.message}`),
      onSelect: () => wizard.go(nextRoute(wizard.get().route)),
    };
  };

  return {deployment, problems, problemAt, text, phrase, number, identifier, list, choice, onward};
};
