import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {exportPath} from '../nfs-server/exports.ts';
import {managedNote} from '../shared/config-text.ts';
import {roles} from '../shared/deployment.ts';
import type {FetchKey} from './keys.ts';
import {snapshotsFolder} from './paths.ts';
import {stanzaOf} from './settings.ts';

/** A program of ours on a host, for bash. */
export const program = (...parts: readonly Script[]): string =>
  `#!/bin/bash\n${managedNote}\n${lines(...parts).text}\n`;

/** What a role keeps outside of /etc, where all the rest of a machine’s settings lie. */
const besides: Readonly<Record<string, readonly string[]>> = {
  [roles.compute]: ['tls', 'cred', 'token', 'node-token'].map(name => `var/lib/rancher/rke2/server/${name}`),
};

/**
 * Writes the settings of this host to standard output as a tar archive: all of /etc, with the rules of the firewall, the
 * exports, the database’s settings and the keys of the machine. It takes no word from its caller.
 */
export const giveConfigurations = ({roles: played}: Pick<HostSpec, 'roles'>): string => {
  const paths = ['etc', ...played.flatMap(role => besides[role] ?? [])];
  return program(
    sh`cd / || exit
set --
for path in ${paths}; do
  [ ! -e "$path" ] || set -- "$@" "$path"
done
tar --create --file=- --sort=name --numeric-owner --acls --xattrs --ignore-failed-read --warning=no-file-changed -- "$@"
code=$?`,
    // 1: a file changed while it was read. What was read of it is in the archive, and the next one is whole.
    sh`[ "$code" -le 1 ] || exit "$code"`,
  );
};

/** Lets rsync read one folder and nothing else; the caller’s words are in SSH_ORIGINAL_COMMAND, which rrsync judges. */
const giveFolder = (folder: string): string =>
  program(sh`[ -d ${folder} ] || { echo ${`${folder} is not there`} >&2; exit 1; }`, sh`exec rrsync -ro ${folder}`);

/** The programs by which a host hands out what is copied of it, by what they hand out. */
export const givers = (deployment: Deployment, host: HostSpec): Readonly<Record<FetchKey, string>> => ({
  configurations: giveConfigurations(host),
  etcd: giveFolder(snapshotsFolder),
  files: giveFolder(exportPath(deployment)),
});

/** What each side asks of the other (pgbackrest.org, command reference; the suffix is its own for the far end). */
const commandsOf = {
  repo: ['archive-push', 'archive-get', 'check', 'info', 'restore'],
  pg: ['backup', 'check', 'stanza-create', 'stanza-upgrade'],
} as const;

/**
 * What pgBackRest of the other side may ask of this one: its own protocol for this one stanza, with options that change
 * nothing of where it reads and writes. No other program, and no shell: words are split, never evaluated.
 */
export const pgbackrestOnly = (deployment: Deployment, side: keyof typeof commandsOf): string =>
  program(
    sh`set -f
refuse() { echo 'this key is for pgBackRest alone' >&2; exit 126; }
set -- $SSH_ORIGINAL_COMMAND
[ "$1" = pgbackrest ] || refuse
shift
side= stanza= command= index=0
for word in "$@"; do
  index=$((index + 1))
  case $word in
    --remote-type=*) [ "$word" = ${`--remote-type=${side}`} ] || refuse; side=yes ;;
    --stanza=*) [ "$word" = ${`--stanza=${stanzaOf(deployment)}`} ] || refuse; stanza=yes ;;
    --exec-id=* | --process=* | --repo=* | --archive-async | --pg1-path=* | --pg1-port=* | --pg1-socket-path=*) ;;
    --log-level-console=* | --log-level-file=off | --log-level-stderr=*) ;;
    *:remote) [ "$index" = "$#" ] || refuse; command=$word ;;
    *) refuse ;;
  esac
done
[ -n "$side" ] && [ -n "$stanza" ] || refuse
for allowed in ${commandsOf[side].map(name => `${name}:remote`)}; do
  [ "$command" != "$allowed" ] || exec pgbackrest "$@"
done
refuse`,
  );
