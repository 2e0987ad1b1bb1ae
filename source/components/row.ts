/** What stands at the right edge of a row, such as numbers below a heading that names them. */
export type Aside = {
  readonly text: string;
  /** The same for who hears it without the heading: `2 CPUs, 4 GB memory`. */
  readonly spoken: string;
};

type Common = {
  readonly id: string;
  readonly label: string;
  readonly aside?: Aside;
  /** What to know while it is filled in; one or two sentences. */
  readonly help?: string;
  /** What is wrong with it, in the words of the field. */
  readonly error?: string | undefined;
  readonly warning?: string | undefined;
};

export type TextRow = Common & {
  readonly kind: 'text';
  readonly value: string;
  readonly onChange: (text: string) => void;
  /** Enter, or the way to another row. */
  readonly onCommit?: () => void;
  readonly secret?: boolean;
  readonly placeholder?: string;
  /** What joins the lines of a pasted text; `, ` for lists. */
  readonly joiner?: string;
};

export type ChoiceRow = Common & {
  readonly kind: 'choice';
  readonly value: string;
  readonly options: readonly {readonly value: string; readonly label: string; readonly help?: string}[];
  readonly onChange: (value: string) => void;
};

export type ActionRow = Common & {
  readonly kind: 'action';
  readonly onSelect: () => void;
  readonly detail?: string;
  /** Why it cannot be done now. */
  readonly disabled?: string | undefined;
  /** Letters that do something with this row while it has the focus. */
  readonly keys?: Readonly<Record<string, () => void>>;
};

export type Row =
  | TextRow
  | ChoiceRow
  | ActionRow
  | (Common & {readonly kind: 'fact'; readonly value: string})
  | {readonly kind: 'heading'; readonly id: string; readonly label: string; readonly aside?: Aside}
  | {readonly kind: 'gap'; readonly id: string};

/** What to know about a row, the chosen option of a choice included. */
export const helpOf = (row: Row | undefined): string => {
  if (!row || row.kind === 'gap' || row.kind === 'heading') return '';
  const option = row.kind === 'choice' ? row.options.find(each => each.value === row.value) : undefined;
  return [row.help, option?.help].filter(Boolean).join(' ');
};
