import {databasePlaceOf} from '../environments.ts';
import {error, type Rule} from './rule.ts';

/** Ports of a storage host that something else listens on. */
const takenPorts: Readonly<Record<number, string>> = {22: 'SSH', 111: 'the port mapper', 2049: 'NFS'};

export const databasePort: Rule = ({components}) => {
  const taken = components.postgresql && takenPorts[components.postgresql.port];
  return taken ? [error('components.postgresql.port', `is the port of ${taken} on the storage host`)] : [];
};

/** A folder that was carried in has no package source; a mirror may have one. */
export const databasePackages: Rule = ({components, artifacts}) =>
  components.postgresql?.packages === 'pgdg' && artifacts.source === 'directory'
    ? [
        error(
          'components.postgresql.packages',
          'the packages of the PostgreSQL project cannot be carried in: use those of the distribution, or a mirror',
        ),
      ]
    : [];

/**
 * One environment has the storage host's server to itself. OpenG2P's charts make databases and users of fixed names
 * (`keycloak`, `mosip_keymgr`, `superset`), those of MOSIP cannot be called otherwise, and the charts' jobs need the
 * superuser, because they give each user REPLICATION (openg2p-commons-base, values.yaml; OpenG2P/postgres-init, init-db.sh).
 * Two environments there would write into each other's databases.
 */
export const databaseOfOneEnvironment: Rule = deployment => {
  const places = deployment.environments.map(environment => databasePlaceOf(deployment, environment));
  const first = places.indexOf('storage-host');
  return places.flatMap((place, index) => {
    const {name, database} = deployment.environments[index] ?? {name: ''};
    const path = `environments[${index}].database`;
    if (place !== 'storage-host') return [];
    if (deployment.components.postgresql === undefined) {
      return [error(path, 'the storage host has no PostgreSQL (components.postgresql); say in-cluster')];
    }
    if (index === first) return [];
    const owner = deployment.environments[first]?.name;
    return [
      error(
        database === undefined ? path.replace('.database', '.name') : path,
        `the databases of "${owner}" are on the storage host, and OpenG2P gives those of "${name}" the same names: set database: in-cluster for one of the two`,
      ),
    ];
  });
};
