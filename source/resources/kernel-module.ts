import {ok, type Result} from '../result.ts';
import {lines, sh} from '../shell/script.ts';
import {type FileSpec, type FileState, fileChanges, probeFile, readFileState} from './file-state.ts';
import {type Resource, resource, script} from './resource.ts';
import {setPermissions, writeFile} from './write-file.ts';

type State = {readonly file: FileState; readonly there: boolean};

const separator = '=== in the kernel';

export const kernelModulePath = (name: string): string => `/etc/modules-load.d/groundwork-${name}.conf`;

/** A kernel module, loaded now (or built in) and, by /etc/modules-load.d/groundwork-NAME.conf, at every boot. */
export const kernelModule = (name: string): Resource => {
  if (!/^[a-z0-9][a-z0-9_-]*$/i.test(name)) throw new Error(`not the name of a kernel module: ${name}`);
  const spec: FileSpec = {
    path: kernelModulePath(name),
    content: `# Managed by Groundwork. Changes made here are overwritten.\n${name}\n`,
    mode: 0o644,
    owner: 'root:root',
    secret: false,
  };
  return resource<State>({
    id: `kernel module ${name}`,
    doing: `loading kernel module ${name}`,
    probe: lines(
      probeFile(spec),
      sh`printf '\n%s\n' ${separator}`,
      // A module that is built in need not show in /sys/module.
      sh`if [ -d ${`/sys/module/${name.replaceAll('-', '_')}`} ]; then echo there
else case $(modprobe --show-depends ${name} 2>/dev/null) in
  builtin*) echo there ;;
  *) echo absent ;;
esac; fi`,
    ),
    read: ({stdout}): Result<State, string> => {
      const [inFile = '', kernel = ''] = stdout.split(`\n${separator}\n`);
      const file = readFileState(spec.path, inFile);
      return file.ok ? ok({file: file.value, there: kernel.trim() === 'there'}) : file;
    },
    diff: ({file, there}) => [
      ...fileChanges(file, spec).map(change => ({...change, summary: `${spec.path}: ${change.summary}`})),
      ...(there ? [] : [{summary: `load ${name}`}]),
    ],
    apply: ({there}) =>
      script(
        lines(
          ...(there ? [] : [sh`modprobe ${name} || { echo ${`this kernel has no module ${name}`} >&2; exit 1; }`]),
          writeFile({
            path: spec.path,
            content: Buffer.from(spec.content),
            permissions: setPermissions('candidate', spec.owner, spec.mode),
          }),
        ),
      ),
  });
};
