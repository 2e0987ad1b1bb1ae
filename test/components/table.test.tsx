import {describe, expect, test} from 'vitest';
import {columnWidths, Table} from '../../source/components/table.tsx';
import {widthOf} from '../../source/components/text.ts';
import {frameOf} from '../support/frame-of.tsx';

const columns = [
  {title: 'Host', least: 6},
  {title: 'Found', least: 8},
] as const;

describe('a table', () => {
  test('has columns as wide as what is in them', () => {
    expect(columnWidths(columns, [['sandbox-1', 'ok']], 80)).toEqual([9, 5]);
  });

  test('takes what is too much from the widest column', () => {
    expect(columnWidths(columns, [['sandbox-1', 'a very long finding']], 24)).toEqual([9, 13]);
  });

  test('is never wider than it may be, wide characters counted', () => {
    const frame = frameOf(
      <Table width={30} columns={columns} rows={[['日本語のホスト', 'もっと長い説明がここにある']]} />,
    );
    expect(
      frame
        .split('\n')
        .map(widthOf)
        .every(width => width <= 30),
    ).toBe(true);
  });

  test('shows the rows around the chosen one', () => {
    const rows = Array.from({length: 20}, (_, index) => [`host-${index}`, 'ok']);
    const frame = frameOf(<Table width={40} height={6} columns={columns} rows={rows} chosen={10} />);
    expect(frame).toContain('▸ host-10');
    expect(frame.split('\n')).toHaveLength(6);
    expect(frameOf(<Table width={40} height={6} columns={columns} rows={rows} chosen={19} />)).toContain('▸ host-19');
  });
});
