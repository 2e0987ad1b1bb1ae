import {Box} from 'ink';
import SelectInput from 'ink-select-input';
import {useEffect, useRef, useState} from 'react';
import {priority, useKeys, useLayerActive} from '../app/keys.tsx';
import {Say, useTheme} from '../app/theme.tsx';
import {clip, column, widthOf} from './text.ts';

export type MenuItem<T extends string> = {
  readonly value: T;
  readonly label: string;
  readonly detail?: string;
  /** Why it cannot be chosen now. */
  readonly disabled?: string;
};

type Props<T extends string> = {
  readonly items: readonly MenuItem<T>[];
  readonly columns: number;
  readonly onSelect: (value: T) => void;
  readonly onHighlight?: (value: T) => void;
  readonly active?: boolean;
};

/**
 * A short list to choose one of, by ink-select-input. It chooses at once when a digit is pressed and has no disabled
 * items; here only Enter chooses, and a disabled item says why it cannot be chosen. See docs/inputs.md.
 */
export const Menu = <T extends string>({items, columns, onSelect, onHighlight, active = true}: Props<T>) => {
  const {screenReader} = useTheme();
  const focused = useLayerActive() && active;
  const pressedEnter = useRef(false);
  const [highlighted, setHighlighted] = useState(items[0]?.value);
  const current = items.find(item => item.value === highlighted) ?? items[0];
  const told = current?.value;
  useEffect(() => {
    if (told !== undefined) onHighlight?.(told);
  }, [told, onHighlight]);
  useKeys(
    key => {
      pressedEnter.current = key.name === 'enter';
      return ['enter', 'up', 'down'].includes(key.name);
    },
    {active, priority: priority.control},
  );
  const labelColumns = Math.max(0, ...items.map(item => widthOf(item.label))) + 3;
  const line = (item: MenuItem<T>): string => {
    const aside = item.disabled ?? item.detail;
    return aside ? `${column(item.label, labelColumns)}${clip(aside, columns - labelColumns - 2)}` : item.label;
  };
  return (
    <Box flexDirection="column">
      {screenReader && <SpokenMenu items={items} current={focused ? current : undefined} />}
      <Box display={screenReader ? 'none' : 'flex'} flexShrink={0}>
        <SelectInput
          items={items.map(item => ({key: item.value, value: item, label: line(item)}))}
          isFocused={focused}
          indicatorComponent={Indicator}
          itemComponent={Item}
          onHighlight={item => setHighlighted(item?.value.value)}
          onSelect={item => {
            if (pressedEnter.current && item?.value && !item.value.disabled) onSelect(item.value.value);
          }}
        />
      </Box>
    </Box>
  );
};

const Indicator = ({isSelected = false}: {readonly isSelected?: boolean}) => {
  const {glyphs} = useTheme();
  const active = useLayerActive();
  return (
    <Say tone="accent" bold>
      {isSelected && active ? `${glyphs.pointer} ` : '  '}
    </Say>
  );
};

const Item = ({isSelected = false, label}: {readonly isSelected?: boolean; readonly label: string}) => (
  <Say tone={isSelected ? 'accent' : 'plain'} bold={isSelected} wrap="truncate-end">
    {label}
  </Say>
);

const SpokenMenu = <T extends string>({
  items,
  current,
}: {
  readonly items: readonly MenuItem<T>[];
  readonly current: MenuItem<T> | undefined;
}) => (
  <Box flexDirection="column">
    {items.map((item, index) => (
      <Say
        key={item.value}
      >{`${index + 1} of ${items.length}: ${item.label}. ${item.disabled ?? item.detail ?? ''}`}</Say>
    ))}
    {current && <Say>{`Now at ${current.label}. Enter chooses.`}</Say>}
  </Box>
);
