import {renderToString} from 'ink';
import type {ReactNode} from 'react';

/** What a component draws at first, on 100 columns. */
export const frameOf = (node: ReactNode): string => renderToString(node, {columns: 100});
