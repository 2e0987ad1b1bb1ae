import type {Removal} from '../../source/engine/removal.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {treeAbsent} from '../../source/resources/tree.ts';
import {tlsPaths} from '../postgresql/paths.ts';

export const storageAccessRemoval: Removal = {
  resources: ({scope}) =>
    scope === 'platform' ? [] : [packagesStay(['libnfs-utils', 'postgresql-client']), treeAbsent(tlsPaths.directory)],
};
