import {createHash, createHmac, pbkdf2Sync} from 'node:crypto';

/** As PostgreSQL makes them itself (`scram_iterations`; RFC 7677 asks for no fewer). */
const iterations = 4096;

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * What PostgreSQL keeps of a password (RFC 5803, as in pg_authid): with it a role gets its password, and neither the
 * server's log nor anything on the way ever holds that. The salt is made of the password and of whom it is for, so
 * that what is there can be compared; passwords are random ones of the vault, so nobody can look a salt up.
 * The password must be ASCII, for which SASLprep changes nothing.
 */
export const scramVerifier = (role: string, password: string): string => {
  if (!/^[\x21-\x7e]+$/.test(password)) throw new Error('a database password must be plain ASCII without blanks');
  const salt = hmac(Buffer.from(password), `groundwork database role ${role}`).subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
};
