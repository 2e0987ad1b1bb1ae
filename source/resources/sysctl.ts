import {ok, type Result} from '../result.ts';
import {lines, sh} from '../shell/script.ts';
import {type FileSpec, type FileState, fileChanges, probeFile, readFileState} from './file-state.ts';
import {type Change, type Resource, resource, script} from './resource.ts';
import {setPermissions, writeFile} from './write-file.ts';

type State = {readonly file: FileState; readonly live: ReadonlyMap<string, string>};

const separator = '=== live values';

/** The kernel writes several values with tabs, people with blanks. */
const normal = (value: string): string => value.trim().split(/\s+/).join(' ');

const readLive = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^(\S+) = ?(.*)$/gm)].map(([, key = '', value = '']) => [key, normal(value)] as const));

export const sysctlPath = (name: string): string => `/etc/sysctl.d/60-groundwork-${name}.conf`;

/**
 * Kernel settings, in /etc/sysctl.d/60-groundwork-NAME.conf and in the running kernel. A setting that this kernel does
 * not have fails when it is applied, and says so.
 */
export const sysctl = (name: string, settings: Readonly<Record<string, string | number>>): Resource => {
  const wanted = Object.entries(settings).map(([key, value]) => [key, normal(String(value))] as const);
  const keys = wanted.map(([key]) => key);
  for (const [key, value] of wanted)
    if (!/^[a-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(key) || /[^\x20-\x7e]/.test(value))
      throw new Error(`not a kernel setting: ${key} = ${value}`);
  const spec: FileSpec = {
    path: sysctlPath(name),
    content: `${['# Managed by Groundwork. Changes made here are overwritten.', ...wanted.map(([key, value]) => `${key} = ${value}`)].join('\n')}\n`,
    mode: 0o644,
    owner: 'root:root',
    secret: false,
  };
  const read = (stdout: string): Result<State, string> => {
    const [inFile = '', live = ''] = stdout.split(`\n${separator}\n`);
    const state = readFileState(spec.path, inFile);
    return state.ok ? ok({file: state.value, live: readLive(live)}) : state;
  };
  const diff = ({file, live}: State): Change[] => [
    ...fileChanges(file, spec).map(change => ({...change, summary: `${spec.path}: ${change.summary}`})),
    ...wanted.flatMap(([key, value]) => {
      const now = live.get(key);
      if (now === value) return [];
      return [
        {
          summary:
            now === undefined ? `${key} = ${value} (this kernel has no such setting now)` : `${key}: ${now} → ${value}`,
        },
      ];
    }),
  ];
  return resource({
    id: `sysctl ${name}`,
    doing: `setting ${keys.join(', ')}`,
    probe: lines(probeFile(spec), sh`printf '\n%s\n' ${separator}`, sh`LC_ALL=C sysctl -e ${keys} 2>/dev/null || :`),
    read: ({stdout}) => read(stdout),
    diff,
    apply: () =>
      script(
        lines(
          sh`missing=`,
          sh`for key in ${keys}; do`,
          sh`  sysctl -n "$key" >/dev/null 2>&1 || { echo "this kernel has no setting $key" >&2; missing=yes; }`,
          sh`done`,
          sh`[ -z "$missing" ] || exit 1`,
          writeFile({
            path: spec.path,
            content: Buffer.from(spec.content),
            permissions: setPermissions('candidate', spec.owner, spec.mode),
          }),
          sh`sysctl -q -p ${spec.path}`,
        ),
      ),
  });
};
