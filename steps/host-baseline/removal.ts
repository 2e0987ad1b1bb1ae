import {artifactStore} from '../../source/artifacts/artifact.ts';
import type {Removal} from '../../source/engine/removal.ts';
import {lineBlock} from '../../source/resources/line-block.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {data, emptyFolderAbsent, treeAbsent} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {sh} from '../../source/shell/script.ts';
import {systemOf} from '../shared/deployment.ts';
import {inotifyPath} from './inotify.ts';
import {swapAgain} from './swap.ts';
import {needrestartPath, updatesPath} from './updates.ts';

/** Below /var/lib/groundwork: the passwords of data that is kept (steps/environment/removal.ts). */
const keptWithData = 'environments';

/** The last of all, and in it the folder by which a host is known as ours the very last. */
export const baselineRemoval: Removal = {
  estimate: 10,
  resources: ({scope, purge, facts}) => {
    if (scope === 'platform')
      return [
        data({
          what: 'downloaded files',
          path: artifactStore,
          why: 'the next installation takes them from there',
          purge: false,
        }),
      ];
    const {packages, time} = systemOf(facts);
    return [
      packagesStay([
        ...['ca-certificates', 'curl', 'jq'],
        packages.tls,
        packages.dnsTools,
        packages.automaticUpdates,
        packages.timeSync,
      ]),
      withdrawn([updatesPath, needrestartPath]),
      emptyFolderAbsent('/etc/needrestart/conf.d'),
      emptyFolderAbsent('/etc/needrestart'),
      withdrawn([`${time.sourcesDirectory}/groundwork.sources`], {
        afterwards: sh`systemctl try-restart ${time.service}`,
      }),
      swapAgain,
      withdrawn([inotifyPath], {but: 'the running values stay until the next start'}),
      lineBlock('/etc/hosts', {name: 'hosts', lines: []}),
      treeAbsent('/etc/groundwork'),
      treeAbsent('/var/lib/groundwork', {except: purge.data ? [] : [keptWithData]}),
    ];
  },
};
