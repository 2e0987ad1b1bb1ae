import type {Removal} from '../../source/engine/removal.ts';
import {treeAbsent} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {sh} from '../../source/shell/script.ts';
import {paths, trustedPath} from './paths.ts';

export const certificatesRemoval: Removal = {
  resources: ({scope, deployment}) =>
    scope === 'platform'
      ? []
      : [
          withdrawn([trustedPath(deployment)], {
            afterwards: sh`update-ca-certificates`,
            but: 'the host no longer trusts the deployment’s CA',
          }),
          treeAbsent(paths.directory),
        ],
};
