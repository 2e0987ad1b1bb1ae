import type {Failure} from '../engine/failure.ts';
import {lastLines} from './failures.ts';

type Refusal = {
  readonly match: RegExp;
  readonly message: (user: string, host: string) => string;
  readonly cause?: string;
  readonly remedy: (user: string) => string;
};

/** What sudo prints (in the C locale) when it refuses, with what the operator can do about it. */
const refusals: readonly Refusal[] = [
  {
    match: /sorry, you must have a tty to run sudo/i,
    message: (_, host) => `sudo on ${host} wants a terminal, and commands over SSH have none.`,
    cause: 'The sudoers file has `Defaults requiretty`.',
    remedy: user => `On the host, with visudo, add the line \`Defaults:${user} !requiretty\`.`,
  },
  {
    match: /is not in the sudoers file|may not run sudo on|is not allowed to (execute|run)/i,
    message: (user, host) => `${user} may not become root on ${host}.`,
    cause: 'The rules of sudo on the host do not let this user run every command.',
    remedy: user =>
      `As root on the host: \`usermod -aG sudo ${user}\`; or log in as a user who may use sudo, or as root.`,
  },
  {
    match: /sudo: (command )?not found|sudo: No such file/i,
    message: (user, host) => `${host} has no sudo, and ${user} is not root.`,
    remedy: () => 'Install it (`apt-get install sudo`), or log in as root.',
  },
  {
    match: /account (validation failure|has expired)|password (has )?expired|change your password/i,
    message: (user, host) => `The account or the password of ${user} on ${host} has expired.`,
    remedy: user => `Log in once as ${user} and set a new password, or as root: \`chage -l ${user}\`.`,
  },
  {
    match: /must be owned by uid 0|effective uid is not 0|no new privileges|nosuid/i,
    message: (_, host) => `sudo on ${host} cannot become root.`,
    cause: 'The sudo program has lost its permissions, or the host forbids them (a container with no-new-privileges).',
    remedy: () => 'Log in as root, or repair sudo: `chown root: /usr/bin/sudo && chmod 4755 /usr/bin/sudo`.',
  },
];

const wantsPassword =
  /a password is required|a terminal is required to (read the password|authenticate)|no password was provided|no tty present/i;

/** Whether a refusal of `sudo -n` goes away with a password. */
export const sudoWantsPassword = (text: string): boolean => wantsPassword.test(text);

export const sudoPasswordMissing = (host: string, user: string): Failure => ({
  kind: 'sudo',
  host,
  attempted: 'becoming root with sudo',
  message: `sudo on ${host} asks for the password of ${user}, and none was given.`,
  remedy: `Give the sudo password, or allow ${user} to use sudo without one.`,
});

export const sudoPasswordWrong = (host: string, user: string): Failure => ({
  kind: 'sudo',
  host,
  attempted: 'becoming root with sudo',
  message: `sudo on ${host} did not accept the password of ${user}.`,
  cause: 'It is mistyped, or it is the password of another user or host.',
  remedy: 'Give the sudo password again. Too many wrong ones may lock the account.',
});

/** Why sudo did not let us in, from what it printed before it ended. */
export const sudoRefused = (host: string, user: string, text: string): Failure => {
  const known = refusals.find(({match}) => match.test(text));
  const tail = lastLines(text);
  return {
    kind: 'sudo',
    host,
    attempted: 'becoming root with sudo',
    ...(tail.length > 0 && {tail}),
    ...(known
      ? {
          message: known.message(user, host),
          ...(known.cause && {cause: known.cause}),
          remedy: known.remedy(user),
        }
      : {
          message: `sudo on ${host} did not let ${user} become root.`,
          remedy: `Try \`sudo true\` on the host as ${user}, and look at what it says.`,
        }),
  };
};
