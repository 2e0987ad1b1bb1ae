import {lines, type Script, sh} from '../shell/script.ts';

/** The kubeconfig that RKE2 writes on the first server: full rights, reachable on the host itself only. */
export const kubeconfigPath = '/etc/rancher/rke2/rke2.yaml';

/**
 * First line of every script that calls kubectl, helm or istioctl: which cluster, which programs (ours before those that
 * come with RKE2), and where helm keeps what it caches, so that nothing of an operator's own settings is read or changed.
 */
export const kubeEnvironment: Script = sh`export KUBECONFIG=${kubeconfigPath} PATH="/usr/local/bin:/var/lib/rancher/rke2/bin:$PATH" HELM_CACHE_HOME=/var/lib/groundwork/helm/cache HELM_CONFIG_HOME=/var/lib/groundwork/helm/config HELM_DATA_HOME=/var/lib/groundwork/helm/data`;

/** What kubectl and helm say when there is no API server to talk to, as an extended regular expression of grep. */
const noAnswer =
  'was refused|[Uu]nable to connect|no route to host|i/o timeout|TLS handshake timeout|cluster unreachable|ServiceUnavailable|connection reset|unexpected EOF';

/** For a probe: prints `no-cluster` and ends when the host has no such program or no kubeconfig. Everything is still to be made then. */
export const unlessInstalled = (program: 'kubectl' | 'helm'): Script =>
  sh`if ! command -v ${program} >/dev/null || [ ! -s "$KUBECONFIG" ]; then echo no-cluster; exit 0; fi`;

/** For a probe whose call failed: prints `no-cluster` and ends when the errors in a file say that nobody answered. */
export const unlessAnswered = (errors: Script): Script =>
  sh`if grep -qE ${noAnswer} ${errors}; then echo no-cluster; exit 0; fi`;

/** A shell function that prints a text. The text travels with the script, in no argument and no environment. */
export const printer = (name: string, text: string): Script => ({
  kind: 'script',
  text: `${name}() {
base64 -d <<'END_OF_TEXT'
${(
  Buffer.from(text)
    .toString('base64')
    .match(/.{1,76}/g) ?? []
).join('\n')}
END_OF_TEXT
}`,
});

/** A folder in memory for what must not reach a disk, in the variable `dir`; gone when the script ends. */
export const privateFolder: Script = lines(
  sh`umask 077`,
  sh`dir=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 73`,
  sh`trap 'rm -rf "$dir"' EXIT`,
);
