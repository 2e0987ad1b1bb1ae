// A program for a real terminal that shows one input: `select` or `text`, `fed` key by key or `bare` as Ink has it.
import process from 'node:process';
import {Box, render, Text} from 'ink';
import SelectInput from 'ink-select-input';
import TextInput from 'ink-text-input';
import {useState} from 'react';
import {createKeyFeed} from '../../source/app/key-feed.ts';

const [, , kind, feeding, initial = ''] = process.argv;

const items = ['one', 'two', 'three', 'four'].map(value => ({label: value, value}));

const Select = () => {
  const [picked, setPicked] = useState<readonly string[]>([]);
  return (
    <Box flexDirection="column">
      <SelectInput items={items} onSelect={item => setPicked(before => [...before, item.value])} />
      <Text>{`ready ${JSON.stringify(picked)}`}</Text>
    </Box>
  );
};

const Line = () => {
  const [value, setValue] = useState(initial);
  const [submitted, setSubmitted] = useState<string>();
  return (
    <Box flexDirection="column">
      <TextInput value={value} onChange={setValue} onSubmit={setSubmitted} />
      <Text>{`ready ${JSON.stringify({value, ...(submitted !== undefined && {submitted})})}`}</Text>
    </Box>
  );
};

render(kind === 'select' ? <Select /> : <Line />, {
  stdin: feeding === 'fed' ? createKeyFeed(process.stdin).stdin : process.stdin,
  interactive: true,
});
