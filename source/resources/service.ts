import {err, ok, type Result} from '../result.ts';
import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {type Apply, type Change, type Resource, resource, script} from './resource.ts';
import {absolute} from './write-file.ts';

export type Service = {
  /** Starts at boot. Left as it is when not said. */
  readonly enabled?: boolean;
  /** Runs now. Left as it is when not said. */
  readonly running?: boolean;
  /** Files that it reads only when it starts or reloads. When one changed since then, `onChange` is done. */
  readonly configuration?: readonly string[];
  /** Programs that run in it. When one was put in its place since the unit came up, that is restarted. */
  readonly programs?: readonly string[];
  /** Default `reload`; a unit that cannot reload is restarted. */
  readonly onChange?: 'reload' | 'restart';
  readonly slow?: SlowStart;
};

/** Of a unit that takes minutes and tells systemd itself when it is ready: it is started in the background. */
export type SlowStart = {
  /** The most that it may take. */
  readonly seconds: number;
  /** Read-only and quick: prints a line about how far it is, which is told whenever it changes. */
  readonly progress: Script;
};

/** A file of the configuration: its hash and when its inode last changed (seconds), or undefined when it is not there. */
type FileNow = {readonly hash: string; readonly changedAt: number} | undefined;

type State = {
  readonly found: boolean;
  readonly masked: boolean;
  /** As systemd says: `enabled`, `disabled`, `static`, … */
  readonly unitFile: string;
  readonly active: boolean;
  readonly failed: boolean;
  /** The unit's file changed and systemd has not read it. */
  readonly stale: boolean;
  readonly invocation: string;
  /** Seconds since 1970 when it last became active; 0 when never. */
  readonly activeSince: number;
  readonly files: readonly FileNow[];
  /** What we loaded last: in which life of the unit, and the hash of each file by its path. */
  readonly loaded: {readonly invocation: string; readonly hashes: ReadonlyMap<string, string>};
};

const properties = [
  'LoadState',
  'UnitFileState',
  'ActiveState',
  'SubState',
  'InvocationID',
  'ActiveEnterTimestamp',
  'NeedDaemonReload',
];

/** Start at boot by themselves, or cannot be enabled because something else pulls them in. */
const enabledStates = ['enabled', 'static', 'alias', 'indirect', 'generated'];

const withSuffix = (unit: string): string => (/\.[a-z]+$/.test(unit) ? unit : `${unit}.service`);

/** What we loaded last into a unit: in which life of it, and the hash of each file. */
export const recordOf = (unit: string): string => `/var/lib/groundwork/loaded/${withSuffix(unit)}`;

const filesMarker = '=== files';
const recordMarker = '=== loaded';

/** One line for each file, in order: `HASH CTIME`, or `missing`. */
const hashes = (files: readonly string[]): Script =>
  files.length === 0
    ? nothing
    : sh`for file in ${files}; do
  if [ -f "$file" ]; then set -- $(sha256sum <"$file") $(stat -L -c %Z "$file"); echo "$1 $3"; else echo missing; fi
done`;

/** The same for programs, which may be large: no hash. */
const ages = (programs: readonly string[]): Script =>
  programs.length === 0
    ? nothing
    : sh`for file in ${programs}; do
  if [ -f "$file" ]; then echo "- $(stat -L -c %Z "$file")"; else echo missing; fi
done`;

export const probeService = (unit: string, files: readonly string[], programs: readonly string[]): Script =>
  lines(
    sh`command -v systemctl >/dev/null || { echo no-systemd; exit 0; }`,
    // In UTC, because the abbreviation of another zone does not say which zone it is.
    sh`TZ=UTC LC_ALL=C systemctl show --property=${properties.join(',')} ${unit} || exit`,
    sh`echo ${filesMarker}`,
    hashes(files),
    ages(programs),
    sh`echo ${recordMarker}`,
    sh`cat ${recordOf(unit)} 2>/dev/null || :`,
  );

/** `Fri 2025-11-21 08:22:12 UTC` in seconds since 1970; 0 for a unit that never was active. */
const secondsOf = (timestamp: string): number => {
  const [, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(timestamp) ?? [];
  return day && time ? Date.parse(`${day}T${time}Z`) / 1000 : 0;
};

export const readService = (unit: string, stdout: string): Result<State, string> => {
  if (stdout.startsWith('no-systemd')) return err(`this host has no systemd, and ${unit} is a unit of systemd`);
  const [show = '', rest = ''] = stdout.split(`${filesMarker}\n`);
  const [files = '', record = ''] = rest.split(`${recordMarker}\n`);
  const shown = new Map([...show.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));
  const load = shown.get('LoadState');
  if (load === undefined) return err(`the state of ${unit} could not be read`);
  const active = shown.get('ActiveState') ?? '';
  const [invocation = '', ...entries] = record.split('\n');
  return ok({
    found: load !== 'not-found',
    masked: load === 'masked',
    unitFile: shown.get('UnitFileState') ?? '',
    active: active === 'active' || active === 'reloading',
    failed: active === 'failed' || shown.get('SubState') === 'auto-restart',
    stale: shown.get('NeedDaemonReload') === 'yes',
    invocation: shown.get('InvocationID') ?? '',
    activeSince: secondsOf(shown.get('ActiveEnterTimestamp') ?? ''),
    files: files
      .split('\n')
      .filter(line => line !== '')
      .map(line => {
        const [hash = '', changedAt] = line.split(' ');
        return hash === 'missing' ? undefined : {hash, changedAt: Number(changedAt)};
      }),
    loaded: {
      invocation,
      hashes: new Map(
        entries
          .filter(entry => entry !== '')
          .map(entry => [entry.slice(entry.indexOf(' ') + 1), entry.split(' ')[0] ?? '']),
      ),
    },
  });
};

/**
 * The files that the running unit has not read. In the life of the unit in which we loaded it, the hashes say it. In another
 * one (the host booted, somebody restarted it) the unit has read what was there when it began: only what changed at that
 * second or later counts. So a reload that a cut prevented is found, and a reboot is not a change.
 */
export const unread = (state: State, files: readonly string[]): readonly string[] =>
  files.filter((path, index) => {
    const now = state.files[index];
    const loaded = state.loaded.hashes.get(path);
    if (loaded !== undefined && state.invocation !== '' && state.loaded.invocation === state.invocation)
      return loaded !== (now?.hash ?? 'missing');
    return now !== undefined && now.changedAt >= state.activeSince;
  });

/**
 * The programs that are newer than the running unit. One that was replaced in the very second in which the unit came up
 * was there when it began: what takes long enough to be a case of its own is not started in that second.
 */
export const replaced = (state: State, before: number, programs: readonly string[]): readonly string[] =>
  programs.filter((_, index) => (state.files[before + index]?.changedAt ?? 0) > state.activeSince);

/** What there is to do, in the order in which it is done. */
type Action = 'unmask' | 'daemon-reload' | 'enable' | 'disable' | 'start' | 'stop' | 'reload' | 'restart';

type Todo = {readonly action: Action; readonly summary: string};

export const todo = (state: State, unit: string, options: Service): readonly Todo[] => {
  const {enabled, running, configuration = [], programs = [], onChange = 'reload'} = options;
  const list: Todo[] = [];
  const wanted = enabled === true || running === true;
  if (state.masked && wanted) list.push({action: 'unmask', summary: `unmask ${unit}`});
  if (state.stale) list.push({action: 'daemon-reload', summary: `read the changed unit file of ${unit}`});
  const starts = enabledStates.includes(state.unitFile);
  if (enabled === true && !starts) list.push({action: 'enable', summary: `start ${unit} at boot`});
  if (enabled === false && state.unitFile.startsWith('enabled'))
    list.push({action: 'disable', summary: `do not start ${unit} at boot`});
  if (running === true && !state.active)
    list.push({action: 'start', summary: `start ${unit}${state.failed ? ' (it has failed)' : ''}`});
  if (running === false && state.active) list.push({action: 'stop', summary: `stop ${unit}`});
  if (running !== false && state.active) {
    const newer = replaced(state, configuration.length, programs);
    const changed = [...unread(state, configuration), ...newer];
    const action = newer.length > 0 ? 'restart' : onChange;
    if (changed.length > 0) list.push({action, summary: `${action} ${unit}: ${changed.join(', ')} changed`});
  }
  return list;
};

/** How long a unit must stay up before it counts as running: 5 looks, 0.3 s apart. */
const stays = (unit: string): Script => sh`restarts=$(systemctl show --property=NRestarts --value ${unit})
for look in 1 2 3 4 5; do
  sleep 0.3
  case $(systemctl show --property=ActiveState --value ${unit}) in
    active|reloading) ;;
    *) fail ${`${unit} did not stay up`} ;;
  esac
done
[ "$(systemctl show --property=NRestarts --value ${unit})" = "$restarts" ] || fail ${`${unit} ends and is started again and again`}`;

/** What the record holds of the files: `HASH PATH` for each. */
export const loadedFiles = (files: readonly string[]): Script => sh`for file in ${files}; do
  if [ -f "$file" ]; then set -- $(sha256sum <"$file"); else set -- missing; fi
  printf '%s %s\n' "$1" "$file"
done`;

const record = (unit: string): Script =>
  lines(
    sh`mkdir -p /var/lib/groundwork/loaded`,
    sh`{ systemctl show --property=InvocationID --value ${unit}; printf '%s\n' "$loaded"; } >${`${recordOf(unit)}.new`}`,
    sh`mv -fT ${`${recordOf(unit)}.new`} ${recordOf(unit)}`,
  );

const commands: Readonly<Record<Action, (unit: string) => Script>> = {
  unmask: unit => sh`systemctl --quiet unmask ${unit}`,
  'daemon-reload': () => sh`systemctl daemon-reload`,
  enable: unit => sh`systemctl --quiet enable ${unit}`,
  disable: unit => sh`systemctl --quiet disable ${unit}`,
  start: unit => sh`systemctl start ${unit}`,
  stop: unit => sh`systemctl stop ${unit}`,
  reload: unit => sh`systemctl reload-or-restart ${unit}`,
  restart: unit => sh`systemctl restart ${unit}`,
};

/** How often a unit may end while it starts: the first time may be a start that came too early for something else. */
const endsAllowed = 3;

/** Waits until a unit that was started in the background is up. Its job is gone when its start has ended, in whatever way. */
const comesUp = (unit: string, {seconds, progress}: SlowStart): Script => sh`progress() (
${progress}
)
shown() { systemctl show --property="$1" --value ${unit}; }
restarts=$(shown NRestarts) told= end=$(($(date +%s) + ${seconds}))
while [ "$(shown ActiveState)" != active ] || [ -n "$(shown Job | tr -d 0)" ]; do
  [ "$(shown ActiveState)" != failed ] || fail ${`${unit} ended while it started`}
  [ "$(($(shown NRestarts) - restarts))" -lt ${endsAllowed} ] || fail ${`${unit} ends and is started again and again`}
  [ "$(date +%s)" -lt "$end" ] || fail ${`${unit} was not up after ${seconds} s`}
  said=$(progress </dev/null 2>/dev/null)
  if [ "$said" != "$told" ]; then printf '%s\n' "$said"; told=$said; fi
  sleep 2
done`;

const inBackground = (action: Action, unit: string): Script =>
  action === 'start' || action === 'restart' ? sh`systemctl --no-block ${action} ${unit}` : commands[action](unit);

const applyService = (
  unit: string,
  actions: readonly Action[],
  files: readonly string[],
  slow: SlowStart | undefined,
): Apply => {
  const loads = actions.some(action => action === 'start' || action === 'reload' || action === 'restart');
  return script(
    lines(
      sh`fail() {
  journalctl --unit=${unit} --lines=30 --no-pager --output=cat >&2 2>/dev/null
  echo "$1" >&2
  exit 1
}`,
      sh`systemctl daemon-reload`,
      sh`[ "$(systemctl show --property=LoadState --value ${unit})" != not-found ] || { echo ${`there is no unit ${unit}`} >&2; exit 1; }`,
      // Before the load: what changes while it goes on must count as not read.
      ...(loads && files.length > 0 ? [sh`loaded=$(${loadedFiles(files)})`] : []),
      ...(loads ? [sh`systemctl reset-failed ${unit} 2>/dev/null`] : []),
      ...actions
        .filter(action => action !== 'daemon-reload')
        .map(
          action =>
            sh`${slow ? inBackground(action, unit) : commands[action](unit)} || fail ${`systemctl could not ${action} ${unit}`}`,
        ),
      ...(loads && slow ? [comesUp(unit, slow)] : []),
      ...(loads ? [stays(unit)] : []),
      ...(loads && files.length > 0 ? [record(unit)] : []),
    ),
    slow ? {timeoutMs: (slow.seconds + 60) * 1000, detached: true} : {timeoutMs: 300_000},
  );
};

/**
 * A unit of systemd: whether it starts at boot, whether it runs, and whether it has read its configuration. The last is
 * found out on the host, so a run that was cut between writing a file and reloading is made good by the next one.
 */
export const service = (unit: string, options: Service = {}): Resource => {
  if (!/^[A-Za-z0-9@:._-]+$/.test(unit) || unit.startsWith('-')) throw new Error(`not the name of a unit: ${unit}`);
  const {configuration = [], programs = []} = options;
  for (const path of [...configuration, ...programs]) absolute(path);
  return resource<State>({
    id: `service ${unit}`,
    doing: `setting up service ${unit}`,
    probe: probeService(unit, configuration, programs),
    read: ({stdout}) => readService(unit, stdout),
    diff: (state): Change[] => todo(state, unit, options).map(({summary}) => ({summary})),
    apply: state =>
      applyService(
        unit,
        todo(state, unit, options).map(({action}) => action),
        configuration,
        options.slow,
      ),
  });
};
