import {command} from '../../source/resources/command.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sh} from '../../source/shell/script.ts';
import {scramVerifier} from './scram.ts';
import {asSuperuser, identifier, literal} from './sql.ts';

/** That a role has the password of the vault, which never gets as far as the host: only what the server keeps of it does. */
export const rolePassword = (version: number, role: string, password: string): Resource => {
  const verifier = scramVerifier(role, password);
  return command({
    id: `password of the database user ${role}`,
    doing: `setting the password of the database user ${role}`,
    unless: sh`[ "$(${asSuperuser(
      version,
      `SELECT rolpassword = ${literal(verifier)} FROM pg_authid WHERE rolname = ${literal(role)};`,
    )})" = t ]`,
    script: asSuperuser(version, `ALTER ROLE ${identifier(role)} PASSWORD ${literal(verifier)};`),
    change: `give the database user ${role} the password of the vault`,
    // An error repeats the statement.
    options: {told: () => undefined},
  });
};
