/** Names of settings that hold a secret in other tools' files, however they are spelt. */
const secretName =
  /^(.*[_-])?(pass(word|wd|phrase)?|pwd|secret|token|credentials?|psk|api[_-]?key|(private|preshared|signing|encryption|ssh|access|secret)[_-]?key)s?([_-].*)?$/i;

/** `rootPassword` and `dbPassPhrase` as `root-password` and `db-pass-phrase`. */
const withHyphens = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2');

/** Whether a setting of this name holds a secret. `identityFile` names a file and holds none. */
export const looksLikeSecretName = (name: string): boolean =>
  secretName.test(name) || secretName.test(withHyphens(name));

/** Keys in PEM, of OpenSSH and of age, which look like nothing else. */
export const holdsSecret = (text: string): boolean =>
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY|AGE-SECRET-KEY-1|PuTTY-User-Key-File/.test(text);
