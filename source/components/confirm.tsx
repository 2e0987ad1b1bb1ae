import {Box} from 'ink';
import {useRef, useState} from 'react';
import {Say} from '../app/theme.tsx';
import {Form} from './form.tsx';
import {wrap} from './text.ts';

type Props = {
  /** What will happen, in a sentence or two. */
  readonly children: string;
  /** What has to be typed, letter by letter. */
  readonly word: string;
  readonly columns: number;
  readonly onConfirm: () => void;
};

/** For what cannot be taken back: it happens only when its word was typed, never by Enter alone. Escape goes back. */
export const Confirm = ({children, word, columns, onConfirm}: Props) => {
  const typed = useRef('');
  const [text, setText] = useState('');
  const matches = text.trim() === word;
  return (
    <Box flexDirection="column">
      <Box width={columns} marginBottom={1} flexShrink={0}>
        <Say>{wrap(children, columns).join('\n')}</Say>
      </Box>
      <Form
        columns={columns}
        height={5}
        rows={[
          {
            kind: 'text',
            id: 'word',
            label: `Type "${word}"`,
            value: text,
            onChange: next => {
              typed.current = next;
              setText(next);
            },
            help: 'Then press Enter twice. Esc goes back and nothing happens.',
          },
          // Nothing to choose before the word is there, so that what is typed always goes into its field.
          matches
            ? {
                kind: 'action',
                id: 'confirm',
                label: 'Do it',
                help: 'Enter does it. Esc goes back and nothing happens.',
                onSelect: () => {
                  if (typed.current.trim() === word) onConfirm();
                },
              }
            : {kind: 'fact', id: 'unconfirmed', label: 'Do it', value: `type "${word}" first`},
        ]}
      />
    </Box>
  );
};
