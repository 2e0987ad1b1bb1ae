import {err, ok} from '../result.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import {type Change, type Resource, resource, script} from './resource.ts';

export type User = {
  /** An account for a program: a low number, no home directory made, no login. */
  readonly system?: boolean;
  readonly home?: string;
  readonly shell?: string;
  /** Groups to be in besides its own; others that it is in stay. */
  readonly groups?: readonly string[];
};

type Account = {readonly home: string; readonly shell: string; readonly groups: readonly string[]} | undefined;

/** A local account. Its password, its number and what is in its home directory are never touched. */
export const user = (name: string, {system = false, home, shell, groups = []}: User = {}): Resource => {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) throw new Error(`not the name of an account: ${name}`);
  const login = shell ?? (system ? '/usr/sbin/nologin' : undefined);
  const missing = (account: NonNullable<Account>) => groups.filter(group => !account.groups.includes(group));
  const options: Script[] = [
    ...(home === undefined ? [] : [sh`--home-dir ${home}`]),
    ...(login === undefined ? [] : [sh`--shell ${login}`]),
    ...(groups.length === 0 ? [] : [sh`--groups ${groups.join(',')}`]),
  ];
  const add = options.reduce(
    (all, next) => sh`${all} ${next}`,
    system ? sh`useradd --system --user-group --no-create-home` : sh`useradd --create-home --user-group`,
  );
  const repair = (account: NonNullable<Account>): Script =>
    lines(
      sh`set -e`,
      ...(home === undefined || account.home === home ? [] : [sh`usermod --home ${home} ${name}`]),
      ...(login === undefined || account.shell === login ? [] : [sh`usermod --shell ${login} ${name}`]),
      ...(missing(account).length === 0 ? [] : [sh`usermod --append --groups ${missing(account).join(',')} ${name}`]),
    );
  return resource<Account>({
    id: `user ${name}`,
    doing: `setting up user ${name}`,
    probe: sh`getent passwd ${name} && id -nG ${name} || [ $? -eq 2 ]`,
    read: ({stdout, code}) => {
      if (code !== 0) return err(`the account ${name} could not be read`);
      if (stdout.trim() === '') return ok(undefined);
      const [entry = '', list = ''] = stdout.split('\n');
      const fields = entry.split(':');
      if (fields.length !== 7) return err(`the account ${name} could not be read`);
      return ok({home: fields[5] as string, shell: fields[6] as string, groups: list.trim().split(' ')});
    },
    diff: account => {
      if (!account) return [{summary: `create${system ? ' system' : ''} user ${name}`}];
      const changes: Change[] = [];
      if (home !== undefined && account.home !== home) changes.push({summary: `home ${account.home} → ${home}`});
      if (login !== undefined && account.shell !== login) changes.push({summary: `shell ${account.shell} → ${login}`});
      if (missing(account).length > 0) changes.push({summary: `add to ${missing(account).join(', ')}`});
      return changes;
    },
    apply: account => script(account ? repair(account) : sh`${add} ${name}`),
  });
};

/**
 * No account of this name, unless it is somebody else's: ours is known by its home directory, which is not touched. What
 * still runs as it is ended.
 */
export const accountAbsent = (name: string, home: string): Resource =>
  resource<boolean>({
    id: `no user ${name}`,
    doing: `removing user ${name}`,
    probe: sh`getent passwd ${name} | cut -d : -f 6`,
    read: ({stdout}) => ok(stdout.trim() === home),
    diff: there => (there ? [{summary: `remove user ${name}`}] : []),
    apply: () =>
      script(sh`pkill -KILL -u ${name}
userdel ${name}`),
  });
