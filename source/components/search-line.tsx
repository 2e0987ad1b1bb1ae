import {Box} from 'ink';
import TextInput from 'ink-text-input';
import {useRef} from 'react';
import {priority, useKeys, useLayerActive} from '../app/keys.tsx';
import {Say} from '../app/theme.tsx';

type Props = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly onSubmit: () => void;
  readonly onCancel: () => void;
};

/**
 * One line to look for something, by ink-text-input. It types the letter of a Ctrl or Alt key and cuts emoji in
 * halves; here such keys are kept from it, Ctrl-U empties the line, and halves are dropped. See docs/inputs.md.
 */
export const SearchLine = ({label, value, onChange, onSubmit, onCancel}: Props) => {
  const focused = useLayerActive();
  const withheld = useRef(false);
  useKeys(
    key => {
      withheld.current = key.ctrl || key.alt;
      if (key.ctrl && key.text === 'u') onChange('');
      if (key.name === 'escape') onCancel();
      if (key.name === 'paste') onChange(value + key.text.replace(/[\u0000-\u001f\u007f]+/g, ' '));
      return !(key.ctrl && (key.text === 'g' || key.text === 'c'));
    },
    {priority: priority.control},
  );
  return (
    <Box height={1} flexShrink={0}>
      <Say tone="accent" bold>{`${label} `}</Say>
      <TextInput
        value={value}
        focus={focused}
        onChange={text => {
          if (!withheld.current) onChange(text.replace(/\p{Surrogate}/gu, ''));
        }}
        onSubmit={onSubmit}
      />
    </Box>
  );
};
