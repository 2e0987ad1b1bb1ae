import {posix} from 'node:path';
import {err, ok} from '../result.ts';
import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {type ApplyOptions, type Change, type Resource, resource, script} from './resource.ts';
import {absolute, candidateOf} from './write-file.ts';

export type Withdrawal = {
  /** What makes a program take note that the files are gone: a reload, `systemctl daemon-reload`. */
  readonly afterwards?: Script;
  /** Only files whose first line is this: the others are somebody else's by now. */
  readonly firstLine?: string;
  /** A word about what is not undone: `the running value stays until the next start`. */
  readonly but?: string;
  readonly options?: ApplyOptions;
};

/**
 * Files of ours that go, and the program that has read them takes note. They are put aside under a name that nobody reads
 * until it has, so that a removal that was cut off between the two is seen, and done again.
 */
export const withdrawn = (paths: readonly string[], withdrawal: Withdrawal = {}): Resource => {
  const {afterwards = nothing, firstLine, but, options} = withdrawal;
  const pairs = paths.map(path => ({path: absolute(path), aside: candidateOf(path)}));
  const ours = (path: string): Script =>
    firstLine === undefined
      ? sh`{ [ -e ${path} ] || [ -L ${path} ]; }`
      : sh`[ -f ${path} ] && head -n 1 ${path} | grep -qxF -- ${firstLine}`;
  return resource<readonly string[]>({
    id: `withdrawn ${paths.join(' ')}`,
    doing: `removing ${paths.join(', ')}`,
    probe: lines(
      ...pairs.map(
        ({path, aside}, index) =>
          sh`if ${ours(path)} || [ -e ${aside} ] || [ -L ${aside} ]; then echo ${`there ${index}`}; fi`,
      ),
      sh`echo end`,
    ),
    read: ({stdout}) =>
      /^end$/m.test(stdout)
        ? ok([...stdout.matchAll(/^there (\d+)$/gm)].map(([, index]) => paths[Number(index)] as string))
        : err(`whether ${paths.join(', ')} are there could not be read`),
    diff: found => found.map((path): Change => ({summary: `remove ${path}${but === undefined ? '' : `; ${but}`}`})),
    apply: () =>
      script(
        lines(
          sh`set -eu`,
          ...pairs.map(({path, aside}) => sh`if ${ours(path)}; then mv -fT ${path} ${aside}; fi`),
          sh`(
set +eu
${afterwards}
) </dev/null`,
          ...pairs.map(({aside}) => sh`rm -f ${aside}`),
          ...[...new Set(pairs.map(({path}) => posix.dirname(path)))].map(
            folder => sh`[ ! -d ${folder} ] || sync ${folder}`,
          ),
        ),
        options,
      ),
  });
};
