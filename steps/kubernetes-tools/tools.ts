import {artifactPath} from '../../source/artifacts/artifact.ts';
import {type ArtifactContext, artifactOf} from '../../source/artifacts/for-step.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {ok} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';

export type Tool = {
  /** Of its artifact, and the name of the program. */
  readonly id: 'kubectl' | 'helm';
  /** Asks the program itself; prints its version as the version matrix has it, or nothing. */
  readonly version: (program: string) => Script;
};

/** Neither asks the cluster, nor reads what an operator configured. */
export const tools: readonly Tool[] = [
  {
    id: 'kubectl',
    version: program =>
      sh`KUBECONFIG=/dev/null ${program} version --client --output=json 2>/dev/null | sed -n 's/^ *"gitVersion": "\([^"]*\)".*/\1/p'`,
  },
  {id: 'helm', version: program => sh`HOME=/nonexistent ${program} version --template='{{.Version}}' 2>/dev/null`},
];

export const programOf = ({id}: Tool): string => `/usr/local/bin/${id}`;

/** The program of an archive, wherever in it that lies; a binary is itself the program. */
const unpacked = (kind: string, source: string, id: string): Script =>
  kind === 'archive'
    ? sh`member=$(tar --list --gzip --file=${source} | awk -F / -v name=${id} '$NF == name && !found { print; found = 1 }')
[ -n "$member" ] || { echo ${`there is no ${id} in the archive`} >&2; exit 1; }
tar --extract --gzip --to-stdout --file=${source} "$member"`
    : sh`cat ${source}`;

/** A program in /usr/local/bin with exactly the version of the matrix. It takes the place of the old one in one stroke. */
export const toolInstalled = (context: ArtifactContext, tool: Tool): Resource => {
  const found = artifactOf(tool.id, context);
  const program = programOf(tool);
  const candidate = `/usr/local/bin/.groundwork-${tool.id}`;
  return resource<string>({
    id: `program ${tool.id}`,
    doing: `installing ${tool.id} ${found.version}`,
    probe: sh`[ ! -x ${program} ] || { printf 'version %s\n' "$(${tool.version(program)})"; }`,
    read: ({stdout}) => ok(/^version (.*)$/m.exec(stdout)?.[1] ?? 'missing'),
    diff: state => {
      if (state === found.version) return [];
      if (state === 'missing') return [{summary: `install ${tool.id} ${found.version}`}];
      return [{summary: `${tool.id} ${state || 'of an unknown version'} → ${found.version}`}];
    },
    apply: () =>
      script(sh`set -eu -o pipefail
trap 'rm -f ${candidate}' EXIT
mkdir -p /usr/local/bin
(
${unpacked(found.kind, artifactPath(found), tool.id)}
) >${candidate}
chmod 0755 ${candidate}
said=$(${tool.version(candidate)} || :)
[ "$said" = ${found.version} ] || {
  printf 'what was downloaded as %s says that it is "%s"\n' ${`${tool.id} ${found.version}`} "$said" >&2
  exit 1
}
mv -fT ${candidate} ${program}
sync ${program}`),
  });
};
