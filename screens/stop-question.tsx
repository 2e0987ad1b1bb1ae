import {Box} from 'ink';
import {useKeys} from '../source/app/keys.tsx';
import type {RunSession} from '../source/app/run-session.ts';
import {Say, useTheme} from '../source/app/theme.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import {Menu, type MenuItem} from '../source/components/menu.tsx';
import {menuHints} from './hints.ts';

type Props = {
  readonly session: RunSession;
  readonly onClose: () => void;
  /** When one came here to leave: goes when the run has ended, or at once when told so. */
  readonly onLeave?: (when: 'ended' | 'at once') => void;
};

type Choice = 'go-on' | 'after-command' | 'now' | 'leave';

/** Asked before a run is stopped or left: nothing is cut off by one key. */
export const StopQuestion = ({session, onClose, onLeave}: Props) => {
  const {glyphs} = useTheme();
  const {readable} = useBody();
  const {stopping} = session.picture.get();
  useKeys(key => {
    if (key.name !== 'escape') return false;
    onClose();
    return true;
  });
  const all: readonly (MenuItem<Choice> & {readonly when: boolean})[] = [
    {value: 'go-on', label: 'Keep going', detail: 'the run goes on', when: stopping === 'no'},
    {value: 'go-on', label: 'Wait for it', detail: 'it is stopping', when: stopping !== 'no'},
    {
      value: 'after-command',
      label: 'Stop after this command',
      detail: 'lets what runs on the hosts end first',
      when: stopping === 'no',
    },
    {value: 'now', label: 'Stop now', detail: 'ends what runs on the hosts', when: stopping !== 'now'},
    {
      value: 'leave',
      label: 'Leave without waiting',
      detail: 'it may still end something on a host',
      when: stopping === 'now' && onLeave !== undefined,
    },
  ];
  const choose = (choice: Choice): void => {
    if (choice === 'leave') onLeave?.('at once');
    else if (choice !== 'go-on') {
      session.stop(choice);
      onLeave?.('ended');
    }
    onClose();
  };
  return (
    <Frame title="Stop the run?" hints={menuHints(glyphs, 'keep going')}>
      <Box marginBottom={1} width={readable} flexShrink={0}>
        <Say>A run is on. What is done stays done, and going on later repeats nothing.</Say>
      </Box>
      <Menu
        items={all.filter(item => item.when).map(({when: _, ...item}) => item)}
        columns={readable}
        onSelect={choose}
      />
    </Frame>
  );
};
