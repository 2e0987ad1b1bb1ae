import {randomInt} from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits only, so that every file and form takes it as it is. 24 of them are 142 bits. */
export const newPassword = (): string => Array.from({length: 24}, () => alphabet[randomInt(alphabet.length)]).join('');
