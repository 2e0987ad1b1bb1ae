import {quote} from '../shell/script.ts';

/**
 * How a script gets onto a host. The command that a login shell (or sudo) sees is always the same few words; it
 * reads everything else from standard input, so that no argument list, no environment and no log of sudo holds
 * anything of a script:
 *
 *     <length>\n<entry>  <length>\n<stage>  <length>\n<script>  then a newline from time to time: "still here"
 *
 * `entry` runs as the login user and becomes root if that is asked for; `stage` prepares a clean shell, runs the
 * script in a process group of its own and ends that group when standard input ends or falls silent.
 */

/** Random letters and digits, made for each run: nothing on the host can guess it, so nothing can forge a frame. */
export type Marker = string;

/** What the far side prints, on standard output and on standard error, before and after the script's own output. */
export const marks = (marker: Marker) => ({
  /** The login shell has handed over to us; what came before is its noise. */
  login: `${marker}.login`,
  /** On standard error: sudo asks for the password. */
  prompt: `${marker}.prompt`,
  /** The line after which our wrapper behind sudo takes what comes as ours. */
  wrapper: `${marker}.go`,
  /** On standard output: sudo let us in, and what is sent now reaches our wrapper and not sudo. */
  ready: `${marker}.ready`,
  /** The script's output begins after this line. */
  start: `${marker}.start\n`,
  /** The script's output has ended; its exit status and a newline follow. */
  end: `${marker}.end `,
});

/**
 * Reads `<length>\n<length bytes>` and runs them. dd, because it takes exactly that many bytes and leaves the rest,
 * where head may read ahead. One line without single quotes, `!` and backslashes, so that every login shell
 * (fish and csh among them) hands it on unchanged.
 */
const loader =
  'IFS= read -r gw_length && gw_text=$(LC_ALL=C dd bs="$gw_length" count=1 iflag=fullblock status=none) && eval "$gw_text"';

/** `--norc` because Debian's bash reads .bashrc when sshd started it; `-p` because BASH_ENV must not run either. */
const cleanShell = 'bash --norc -p -c';

/** What the login shell is asked to run, always. */
export const entryCommand = `exec ${cleanShell} '${loader}'`;

/** The same for a shell that is started without a login shell between. */
export const entryArguments = ['--norc', '-p', '-c', loader] as const;

/** How the entry becomes root: not at all, through sudo without a password, or with one that is asked for. */
export type Elevation = 'none' | 'sudo' | 'sudo-password';

/** What only the login's environment knows and sudo would drop. */
const carried = 'groundwork "$SSH_CONNECTION"';

/**
 * After sudo took the password: says so, and passes over what comes in until a line that says that a script
 * follows. A password that sudo did not want is thrown away here and never reaches a shell.
 */
const afterPassword = `printf "%s\\n" "$2"; while IFS= read -r gw_line && [ "$gw_line" != "$3" ]; do :; done; ${loader}`;

/** The first text: runs as the login user with the login's environment. */
export const entry = (marker: Marker, elevation: Elevation): string => {
  const {login, prompt, ready, wrapper} = marks(marker);
  const become = {
    none: loader,
    sudo: `if [ "$EUID" = 0 ]; then ${loader}; else exec sudo -n -- ${cleanShell} ${quote(loader)} ${carried}; fi`,
    // Only after sudo asked for a password, so the login is not root.
    'sudo-password': `exec sudo -k -S -p ${prompt} -- ${cleanShell} ${quote(afterPassword)} ${carried} ${ready} ${wrapper}`,
  }[elevation];
  return `export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
printf '%s\\n' ${login}; printf '%s\\n' ${login} >&2
${become}
`;
};

/** Seconds between TERM and KILL for what does not end. */
const graceSeconds = 5;

/**
 * The second text: runs the script. Bash's own words about jobs go to /dev/null, so that what is printed between the
 * marks is the script's, byte for byte. The script sees none of our variables, no standard input, and no descriptor
 * beside 1 and 2.
 *
 * A script that came in cut short (its length does not fit) is not run at all.
 *
 * Job control makes the process groups and is off again before waiting: without it `wait` passes over a job that is
 * stopped, which `wait -f` would do as well if it did not now and then spin for ever (bash 5.2.15).
 *
 * @param silenceSeconds without a byte from this side the script is ended; undefined: only the end of input ends it
 */
export const stage = (marker: Marker, silenceSeconds: number | undefined): string => {
  const {start, end} = marks(marker);
  return `export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ -z "$1" ] || export SSH_CONNECTION=$1
[ "$EUID" != 0 ] || export HOME=/root
unset -v LANG LANGUAGE SUDO_COMMAND
set --
umask 022
cd /
IFS= read -r gw_length || exit 1
gw_script=$(dd bs="$gw_length" count=1 iflag=fullblock status=none; printf x)
gw_script=\${gw_script%x}
[ "\${#gw_script}" = "$gw_length" ] || exit 1
printf '%s\\n' ${start.trimEnd()}; printf '%s\\n' ${start.trimEnd()} >&2
exec 3<&0 4>&2 </dev/null 2>/dev/null
set -m
( exec 2>&4 3<&- 4>&-; set +m; eval "unset -v \${!gw_*}; $gw_script" ) &
gw_job=$!
(
  exec >/dev/null 4>&-
  while IFS= read -r ${silenceSeconds === undefined ? '' : `-t ${silenceSeconds} `}gw_beat <&3; do :; done
  trap '' HUP
  kill -TERM -- -$gw_job; kill -CONT -- -$gw_job
  for (( gw_tries = 0; gw_tries < ${graceSeconds * 20}; gw_tries++ )); do
    kill -0 -- -$gw_job || exit
    sleep 0.05
  done
  kill -KILL -- -$gw_job
) &
gw_watch=$!
exec 3<&-
set +m
wait "$gw_job"; gw_code=$?
kill -HUP "$gw_watch"; wait "$gw_watch"
printf '%s%s\\n' '${end}' "$gw_code"; printf '%s%s\\n' '${end}' "$gw_code" >&4
`;
};

/** One text as the loader takes it. */
export const framed = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]);
};
