import type {Backup, Deployment} from '../source/deployment/schema.ts';

/** The deployment with other settings of its backups; as it is where it has none. */
export const withBackup = (current: Deployment, update: (backup: Backup) => Backup): Deployment => {
  const {backup} = current.components;
  return backup ? {...current, components: {...current.components, backup: update(backup)}} : current;
};
