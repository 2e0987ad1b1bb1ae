import {posix} from 'node:path';
import {err, ok} from '../result.ts';
import {lines, sh} from '../shell/script.ts';
import {type Resource, resource, script} from './resource.ts';
import {absolute, octal, ownerAndGroup, setPermissions} from './write-file.ts';

type State = {readonly mode: number; readonly owners: readonly string[]} | undefined;

/**
 * A directory with its own owner and mode. What is in it is never touched. Missing parents are made (0755, root). A
 * symbolic link to a directory counts as that directory.
 */
export const directory = (
  path: string,
  {mode = 0o755, owner = 'root:root'}: {readonly mode?: number; readonly owner?: string} = {},
): Resource => {
  absolute(path);
  ownerAndGroup(owner);
  return resource<State>({
    id: `directory ${path}`,
    doing: `making directory ${path}`,
    probe: sh`if [ -d ${path} ]; then stat -L -c 'directory %a %U:%G %u:%g' ${path}
elif [ -e ${path} ] || [ -L ${path} ]; then echo other
else echo missing
fi`,
    read: ({stdout}) => {
      const answer = stdout.trim();
      if (answer === 'missing') return ok(undefined);
      if (answer === 'other') return err(`${path} is not a directory, and one must be there`);
      const found = /^directory ([0-7]+) (\S+) (\S+)$/.exec(answer);
      if (!found) return err(`the state of ${path} could not be read`);
      const [, bits = '', names = '', numbers = ''] = found;
      return ok({mode: Number.parseInt(bits, 8), owners: [names, numbers]});
    },
    diff: state => {
      if (!state) return [{summary: `create: mode ${octal(mode)}, ${owner}`}];
      return [
        ...(state.mode === mode ? [] : [{summary: `mode ${octal(state.mode)} → ${octal(mode)}`}]),
        ...(state.owners.includes(owner) ? [] : [{summary: `owner ${state.owners[0]} → ${owner}`}]),
      ];
    },
    apply: () =>
      script(
        lines(
          sh`set -eu`,
          sh`path=${path}`,
          sh`(umask 022; mkdir -p ${posix.dirname(path)})`,
          sh`[ -d "$path" ] || mkdir -m 0700 "$path"`,
          setPermissions('path', owner, mode),
        ),
      ),
  });
};
