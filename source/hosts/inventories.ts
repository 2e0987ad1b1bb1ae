import type {Result} from '../result.ts';
import type {Inventory} from './inventory.ts';
import {looksLikeIniInventory, parseIniInventory} from './inventory-ini.ts';
import {parseYamlInventory} from './inventory-yaml.ts';

export type {Inventory, InventoryHost} from './inventory.ts';

/** An Ansible inventory in either of its forms; undefined when the text is none. The error names the line. */
export const parseInventory = (text: string, file: string): Result<Inventory, string> | undefined =>
  parseYamlInventory(text, file) ?? (looksLikeIniInventory(text) ? parseIniInventory(text, file) : undefined);
