import {posix} from 'node:path';
import {err, ok} from '../result.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import {type FileSpec, fileChanges, probeFile, readFileState} from './file-state.ts';
import {type Apply, type Resource, resource, script} from './resource.ts';
import {absolute, candidateOf, ownerAndGroup, setPermissions, writeFile} from './write-file.ts';

export type FileOptions = {
  /** Default 0644. */
  readonly mode?: number;
  /** `user:group`, default `root:root`. */
  readonly owner?: string;
  /**
   * Runs on the host with the path of the new file before that takes its place; a status other than 0 keeps the old one.
   * The path is in the same directory and has no extension.
   */
  readonly validate?: (candidate: string) => Script;
  /** The content is not shown, and what is there now does not leave the host. */
  readonly secret?: boolean;
};

/** Writes the whole file, or only repairs its owner and mode when the content is right. */
const applyFile = (spec: FileSpec, validate: FileOptions['validate'], rewrite: boolean): Apply => {
  const {path, content, owner, mode} = spec;
  if (!rewrite) return script(lines(sh`set -eu`, sh`path=${path}`, setPermissions('path', owner, mode)));
  return script(
    writeFile({
      path,
      content: Buffer.from(content),
      permissions: setPermissions('candidate', owner, mode),
      ...(validate && {validate}),
    }),
  );
};

/**
 * A file that is ours as a whole. A symbolic link at its path is replaced, never followed; a directory is refused.
 * A missing parent directory is made (0755, root).
 */
export const file = (path: string, content: string, options: FileOptions = {}): Resource => {
  const {mode = 0o644, owner = 'root:root', validate, secret = false} = options;
  const spec: FileSpec = {path: absolute(path), content, mode, owner: ownerAndGroup(owner), secret};
  return resource({
    id: `file ${path}`,
    doing: `writing ${path}`,
    probe: probeFile(spec),
    read: ({stdout}) => readFileState(path, stdout),
    diff: state => fileChanges(state, spec),
    apply: state => applyFile(spec, validate, state.kind !== 'file' || !state.same),
  });
};

/** Nothing at a path: no file and no link. A directory is taken away only when it is empty. */
export const absent = (path: string): Resource =>
  resource({
    id: `absent ${absolute(path)}`,
    doing: `removing ${path}`,
    probe: sh`if [ -e ${path} ] || [ -L ${path} ]; then echo present; else echo missing; fi`,
    read: ({stdout}) => {
      const answer = stdout.trim();
      return answer === 'present' || answer === 'missing' ? ok(answer) : err(`the state of ${path} could not be read`);
    },
    diff: state => (state === 'present' ? [{summary: `remove ${path}`}] : []),
    apply: () =>
      script(
        sh`if [ -d ${path} ] && [ ! -L ${path} ]; then rmdir ${path}; else rm -f ${path}; fi && sync ${posix.dirname(path)}`,
      ),
  });

/** A symbolic link with exactly this target. A file in its place is replaced, a directory is refused. */
export const symlink = (path: string, target: string): Resource =>
  resource<{readonly link: string} | {readonly what: string}>({
    id: `symlink ${absolute(path)}`,
    doing: `linking ${path}`,
    probe: sh`if [ -L ${path} ]; then printf 'link '; readlink -n ${path}; printf .
elif [ -d ${path} ]; then echo directory
elif [ -e ${path} ]; then echo file
else echo missing
fi`,
    read: ({stdout}) => {
      const link = /^link ([\s\S]*)\.$/.exec(stdout)?.[1];
      if (link !== undefined) return ok({link});
      const what = stdout.trim();
      if (what === 'directory') return err(`${path} is a directory, and a symbolic link must be there`);
      return what === 'file' || what === 'missing' ? ok({what}) : err(`the state of ${path} could not be read`);
    },
    diff: state => {
      if ('what' in state)
        return [{summary: `${state.what === 'file' ? 'replace a file by a link to' : 'link to'} ${target}`}];
      return state.link === target ? [] : [{summary: `link to ${state.link} → ${target}`}];
    },
    apply: () =>
      script(
        lines(
          sh`set -eu`,
          sh`if [ -d ${path} ] && [ ! -L ${path} ]; then echo ${`${path} is a directory, and a symbolic link must be there`} >&2; exit 1; fi`,
          sh`[ -d ${posix.dirname(path)} ] || (umask 022; mkdir -p ${posix.dirname(path)})`,
          sh`ln -sfnT -- ${target} ${candidateOf(path)}`,
          sh`mv -fT ${candidateOf(path)} ${path}`,
        ),
      ),
  });
