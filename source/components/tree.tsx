import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../app/keys.tsx';
import {Say, type Tone, useTheme} from '../app/theme.tsx';
import {clip, column, widthOf} from './text.ts';

export type TreeNode = {
  readonly id: string;
  readonly label: string;
  /** At the right edge: a count, a state. */
  readonly aside?: string;
  readonly tone?: Tone;
  readonly children?: readonly TreeNode[];
};

type Shown = {readonly node: TreeNode; readonly depth: number};

type Props = {
  readonly nodes: readonly TreeNode[];
  readonly columns: number;
  readonly height: number;
  /** Nodes that are open at first. */
  readonly initiallyOpen?: readonly string[];
};

const flatten = (nodes: readonly TreeNode[], open: ReadonlySet<string>, depth = 0): Shown[] =>
  nodes.flatMap(node => [{node, depth}, ...(open.has(node.id) ? flatten(node.children ?? [], open, depth + 1) : [])]);

/** Things in things, opened and closed with Enter or the arrows. */
export const Tree = ({nodes, columns, height, initiallyOpen = []}: Props) => {
  const {glyphs, screenReader} = useTheme();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(initiallyOpen));
  const [at, setAt] = useState(0);
  const shown = flatten(nodes, open);
  const position = Math.min(at, Math.max(0, shown.length - 1));
  const current = shown[position];

  useKeys(key => {
    const move = (to: number): true => {
      setAt(Math.min(Math.max(to, 0), Math.max(0, shown.length - 1)));
      return true;
    };
    const toggle = (wanted?: boolean): true => {
      if (!current?.node.children?.length) return true;
      const next = new Set(open);
      if (wanted ?? !open.has(current.node.id)) next.add(current.node.id);
      else next.delete(current.node.id);
      setOpen(next);
      return true;
    };
    switch (key.name) {
      case 'up':
        return move(position - 1);
      case 'down':
        return move(position + 1);
      case 'pageup':
        return move(position - height);
      case 'pagedown':
        return move(position + height);
      case 'home':
        return move(0);
      case 'end':
        return move(shown.length - 1);
      case 'enter':
        return toggle();
      case 'right':
        return toggle(true);
      case 'left': {
        if (current && open.has(current.node.id)) return toggle(false);
        const parent = shown.findLastIndex((each, index) => index < position && each.depth < (current?.depth ?? 0));
        return move(Math.max(parent, 0));
      }
      default:
        return false;
    }
  });

  const first = Math.min(Math.max(0, position - Math.floor(height / 2)), Math.max(0, shown.length - height));
  if (screenReader) {
    return (
      <Say>
        {current
          ? `${position + 1} of ${shown.length}: ${current.node.label}. ${current.node.aside ?? ''} ${
              current.node.children?.length ? (open.has(current.node.id) ? 'open' : 'closed') : ''
            }`
          : 'Nothing here.'}
      </Say>
    );
  }
  return (
    <Box flexDirection="column" height={height} overflow="hidden" flexShrink={0}>
      {shown.slice(first, first + height).map(({node, depth}, index) => {
        const isCurrent = first + index === position;
        const sign = node.children?.length ? (open.has(node.id) ? glyphs.open : glyphs.closed) : ' ';
        const lead = `${isCurrent ? '>' : ' '} ${'  '.repeat(depth)}${sign} `;
        const asideColumns = node.aside ? widthOf(node.aside) + 2 : 0;
        const room = columns - widthOf(lead) - asideColumns;
        return (
          <Say key={node.id} tone={isCurrent ? 'accent' : (node.tone ?? 'plain')} bold={isCurrent} wrap="truncate-end">
            {lead}
            {node.aside ? column(node.label, room, 'left', glyphs.ellipsis) : clip(node.label, room, glyphs.ellipsis)}
            {node.aside && <Say tone={isCurrent ? 'accent' : 'quiet'}>{`  ${node.aside}`}</Say>}
          </Say>
        );
      })}
    </Box>
  );
};
