import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {menuHints} from './hints.ts';

type Props = {
  readonly deployment: string;
  /** A sentence that says who works on it. */
  readonly by: string;
  readonly onRetry: () => void;
  readonly onTakeOver: () => void;
  readonly onBack: () => void;
};

/** Another program works on the deployment: wait for it, or, where it is known to be gone, go on in its place. */
export const RunLocked = ({deployment, by, onRetry, onTakeOver, onBack}: Props) => {
  const {glyphs} = useTheme();
  const {rows, readable} = useBody();
  const [takingOver, setTakingOver] = useState(false);
  const lead = useLead(`Nothing was begun: ${by}.\nTwo programs at once would undo each other's work on the hosts.`);
  useKeys(key => {
    if (key.name !== 'escape') return false;
    if (takingOver) setTakingOver(false);
    else onBack();
    return true;
  });

  if (takingOver) {
    return (
      <Frame title="Take over" hints={[{keys: 'Esc', does: 'back, nothing happens'}]}>
        <Confirm word={deployment} columns={readable} onConfirm={onTakeOver}>
          {`${by}. If you take over, it stops changing anything as soon as it notices, and this run goes on in its place. A command that it has begun on a host may still be running there. Do this when you know that nobody sits before it any more.`}
        </Confirm>
      </Frame>
    );
  }
  return (
    <Frame title="Somebody else works on it" hints={menuHints(glyphs)}>
      {lead.node}
      <Form
        columns={readable}
        height={rows - lead.lines}
        rows={[
          {
            kind: 'action',
            id: 'retry',
            label: 'Try again',
            detail: 'when it has ended',
            help: 'It begins as soon as nobody else works on it.',
            onSelect: onRetry,
          },
          {
            kind: 'action',
            id: 'take-over',
            label: 'Take over',
            detail: 'go on in its place; asks first',
            help: 'For a program that hangs, or runs where nobody can reach it.',
            onSelect: () => setTakingOver(true),
          },
          {kind: 'action', id: 'back', label: 'Back', detail: 'to Review; nothing was changed', onSelect: onBack},
        ]}
      />
    </Frame>
  );
};
