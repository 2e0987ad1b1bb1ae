import type {Removal} from '../../source/engine/removal.ts';
import {command} from '../../source/resources/command.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {treeAbsent} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {systemOf} from '../shared/deployment.ts';
import {configurationPath, pagesDirectory} from './configuration.ts';

/** `others`: whether somebody else has nginx serve something. The distribution's own page counts as nothing. */
const others: Script = sh`others() {
  for file in /etc/nginx/conf.d/*.conf /etc/nginx/sites-enabled/*; do
    [ -e "$file" ] && [ "$file" != ${configurationPath} ] && [ "$file" != /etc/nginx/sites-enabled/default ] && return
  done
  return 1
}`;

/** Comes before our settings go: without these nobody knows any more that it was us who took the page away. */
const greetingAgain = command({
  id: 'the page of the distribution again',
  doing: 'putting the distribution’s own page back',
  unless: lines(
    others,
    sh`[ ! -e ${configurationPath} ] || [ ! -f /etc/nginx/sites-available/default ] || [ -e /etc/nginx/sites-enabled/default ] || others`,
  ),
  script: sh`ln -s ../sites-available/default /etc/nginx/sites-enabled/default`,
  change: 'put the distribution’s own site back (/etc/nginx/sites-enabled/default)',
});

export const nginxRemoval: Removal = {
  resources: ({scope, facts}) =>
    scope === 'platform'
      ? []
      : [
          packagesStay([systemOf(facts).packages.proxy]),
          greetingAgain,
          withdrawn([configurationPath], {
            afterwards: lines(
              others,
              sh`if others; then nginx -t -q && systemctl try-reload-or-restart nginx.service || exit
else systemctl disable --now nginx.service || exit
fi`,
            ),
            but: 'nginx stops, and starts no more at boot, unless it has other sites',
          }),
          treeAbsent(pagesDirectory),
        ],
};
