import type {Deployment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {exitsZero} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {resticEnvironment} from './jobs.ts';
import {configurationsFolder, etcdFolder, filesMirror, restoreFolder} from './paths.ts';
import {rancherFolder} from './rancher-objects.ts';
import {backupRemedies} from './remedies.ts';

export type CopiesTarget = {
  readonly group: 'files' | 'configurations' | 'etcd' | 'rancher';
  /** Digits of the moment at which the restore began. */
  readonly stamp: string;
  /** A snapshot of restic, or undefined for the newest. */
  readonly snapshot: string | undefined;
  /** Of the group, a part: a folder of the share, the name of a host. */
  readonly part: string | undefined;
};

export const stagedFolder = (deployment: Deployment, {group, stamp}: CopiesTarget): string =>
  `${restoreFolder(deployment)}/${group}-${stamp}`;

/** Of files that others made: the newest one that lies in the folder. */
const newest = (
  folder: string,
  to: string,
) => sh`file=$(find ${folder} -type f -printf '%T@ %p\n' | sort -rn | head -n 1 | cut -d ' ' -f 2-)
[ -n "$file" ] || { echo ${`there is nothing in ${folder}`} >&2; exit 1; }
cp --preserve=timestamps -- "$file" ${to}`;

const fetch = (deployment: Deployment, target: CopiesTarget, to: string) => {
  const {group, part, snapshot} = target;
  if (group === 'etcd') return newest(`${etcdFolder(deployment)}${part === undefined ? '' : `/${part}`}`, to);
  if (group === 'rancher' && snapshot === undefined) return newest(`${filesMirror(deployment)}/${rancherFolder}`, to);
  const include =
    group === 'rancher'
      ? `${filesMirror(deployment)}/${rancherFolder}`
      : part === undefined
        ? undefined
        : group === 'files'
          ? `${filesMirror(deployment)}/${part}`
          : `${configurationsFolder(deployment)}/${part}.tar`;
  // By its tag, because the newest snapshot of all may be one of another group.
  return lines(
    resticEnvironment(deployment),
    sh`restic restore ${snapshot ?? 'latest'} --tag ${group === 'rancher' ? 'files' : group} --target ${to} ${include === undefined ? [] : ['--include', include]}
[ -n "$(find ${to} -type f -print -quit)" ] || { echo 'the snapshot holds nothing of that name' >&2; exit 1; }`,
  );
};

/** What was copied, laid out in a folder of its own on the backup host. Nothing else is touched. */
export const stageCopies = (deployment: Deployment, target: CopiesTarget): Step => {
  const folder = stagedFolder(deployment, target);
  return step({
    id: `restore-${target.group}`,
    title: 'Staged copies',
    why: 'Lays out what was copied on the backup host, so that one can see what it is before it goes anywhere.',
    role: roles.backup,
    after: [],
    estimate: 60,
    resources: () => [
      command({
        id: `staged ${target.group}`,
        doing: 'fetching the copies from the repository',
        unless: sh`[ -d ${folder} ]`,
        script: lines(
          sh`set -e
umask 077
rm -rf ${`${folder}.new`}
mkdir -p ${`${folder}.new`}`,
          fetch(deployment, target, `${folder}.new`),
          sh`mv -T ${`${folder}.new`} ${folder}`,
        ),
        change: `lay them out in ${folder}`,
        options: {detached: true, timeoutMs: 24 * 3_600_000},
      }),
    ],
    verify: () => [
      exitsZero({
        id: 'staged',
        title: 'the copies are laid out',
        script: sh`du -sh ${folder} | cut -f 1; find ${folder} -type f | wc -l | sed 's/$/ files/'`,
      }),
    ],
    remedies: backupRemedies,
  });
};
