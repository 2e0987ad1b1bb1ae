import type {Deployment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {sh} from '../../source/shell/script.ts';
import {postgresqlVersion} from '../postgresql/version.ts';
import {prints} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {databaseIdentity, systemProduct} from './backup-postgresql.ts';
import {machinesPath, repositoryUser} from './paths.ts';
import {pgbackrestAs} from './pgbackrest.ts';
import {backupRemedies} from './remedies.ts';

/** The machine that now has this name and address takes the place of the one that the copies are of. */
export const acceptMachine = (host: string, machine: string): Step =>
  step({
    id: 'accept-machine',
    title: `Another machine as ${host}`,
    why: 'The copies of the old machine stay; from now on this one is copied.',
    role: roles.backup,
    after: [],
    estimate: 2,
    resources: () => [
      command({
        id: `machine of ${host}`,
        doing: `remembering the machine that is ${host} now`,
        unless: sh`grep -qx ${`${host} ${machine}`} ${machinesPath}`,
        script: sh`set -e
{ grep -v ${`^${host} `} ${machinesPath} || :; echo ${`${host} ${machine}`}; } >${`${machinesPath}.new`}
chmod 644 ${`${machinesPath}.new`}
mv -fT ${`${machinesPath}.new`} ${machinesPath}`,
        change: `${host} is machine ${machine}`,
      }),
    ],
    verify: () => [
      prints(
        {id: 'accepted', title: 'it is remembered', script: sh`grep ${`^${host} `} ${machinesPath}`},
        `${host} ${machine}`,
      ),
    ],
    remedies: backupRemedies,
  });

const readDatabase = (deployment: Deployment): Step =>
  step({
    id: 'accept-read-database',
    title: 'Which database runs',
    why: 'The backups go on with this one.',
    role: roles.storage,
    after: [],
    estimate: 2,
    provides: [systemProduct],
    resources: ({facts}) => [databaseIdentity(postgresqlVersion(deployment, facts))],
    verify: () => [],
    remedies: backupRemedies,
  });

/** The new database gets a place beside the old one’s backups, which stay. */
export const acceptDatabase = (deployment: Deployment): readonly Step[] => {
  const read = readDatabase(deployment);
  return [
    read,
    step({
      id: 'accept-database',
      title: 'Another database in the repository',
      why: 'Backups go on with the database that runs now; those of the old one stay until retention gives them up.',
      role: roles.backup,
      after: [read],
      needs: [systemProduct],
      estimate: 10,
      resources: ({products}) => [
        command({
          id: 'database of the repository',
          doing: 'giving the new database a place in the repository',
          unless: sh`[ "$(${pgbackrestAs(repositoryUser, deployment, '--output=json', '--log-level-console=off', 'info')} | grep -o '"system-id":[0-9]*' | tail -n 1 | cut -d : -f 2)" = ${products[systemProduct] ?? ''} ]`,
          script: pgbackrestAs(repositoryUser, deployment, 'stanza-upgrade'),
          change: 'go on with the database that runs now',
          options: {timeoutMs: 300_000},
        }),
      ],
      verify: () => [],
      remedies: backupRemedies,
    }),
  ];
};
