import type {ArtifactSource} from '../deployment/schema.ts';
import {lines, type Script, sh} from '../shell/script.ts';

/** A text as curl's own configuration quotes it. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

/** Settings that travel on curl's standard input, so that a proxy stands in no list of processes. */
const configuration = ({proxy}: ArtifactSource): string =>
  proxy === undefined
    ? ''
    : [
        `proxy = ${quoted(proxy.address)}`,
        ...(proxy.exclude.length > 0 ? [`noproxy = ${quoted(proxy.exclude.join(','))}`] : []),
        '',
      ].join('\n');

/** Seconds until a server must have accepted a connection: the farthest answer within 2. */
const connectSeconds = 20;

/**
 * `get [OPTION…] ADDRESS`: curl with what every download has in common, whatever is configured on the host.
 * `explain STATUS CODE ADDRESS ERRORS`: why one failed, in one line; CODE is the HTTP status, ERRORS a file.
 */
export const curlFunctions = (source: ArtifactSource): Script =>
  lines(
    sh`set -o pipefail`,
    sh`get() {
  printf '%s' ${configuration(source)} |
    curl --disable --config - --silent --show-error --fail --location --proto ${source.source === 'mirror' ? '=http,https' : '=https'} --connect-timeout ${connectSeconds} "$@"
}`,
    sh`explain() {
  if [ "$1" = 127 ]; then
    echo 'curl is not installed on this host'
  elif [ "$1" = 22 ]; then
    case $2 in
      404|410) printf '%s is not there (the server says %s)\n' "$3" "$2" ;;
      401|403) printf '%s is refused (the server says %s)\n' "$3" "$2" ;;
      407) printf '%s cannot be had: the proxy wants a login (%s)\n' "$3" "$2" ;;
      *) printf '%s cannot be had now (the server says %s)\n' "$3" "$2" ;;
    esac
  else
    printf '%s cannot be had: %s\n' "$3" "$(tail -n 1 "$4")"
  fi
}`,
  );
