import type {AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware} from 'ssh2';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {type AgentKey, agentKeys, withOneKey} from './agent.ts';
import type {Credentials} from './credentials.ts';
import {quotable} from './failures.ts';
import {type Identity, readIdentity} from './identity.ts';
import type {SshSettings} from './ssh-config.ts';

export type Login = {
  readonly host: string;
  readonly user: string;
  /** The key file that the operator named for this host: then no other key is offered. Absolute. */
  readonly identityFile: string | undefined;
  readonly settings: Pick<SshSettings, 'identityFiles' | 'identitiesOnly' | 'agentSocket'>;
  readonly credentials: Credentials;
};

/** One login: what is offered, in which order, and what came of it. */
export type Authentication = {
  readonly handler: AuthHandlerMiddleware;
  /** Why the login failed, from all that was tried. */
  readonly failure: (error: unknown) => Failure;
};

type Attempt = {
  /** `key /root/.ssh/id_ed25519`, `password`. */
  readonly label: string;
  readonly method: AnyAuthMethod;
  /** As the server names it. */
  readonly asked: AuthenticationType;
  /** Set by what happens while it is tried: the agent that would not sign. */
  readonly outcome?: () => string | undefined;
};

type Prepared = {
  readonly attempts: readonly Attempt[];
  readonly notes: readonly string[];
  readonly identities: readonly Identity[];
};

/**
 * Prepares a login. Fails before anything is sent when the key that the operator named cannot be used at all.
 *
 * Order: keys (a named one alone; else as OpenSSH does, the agent's before the files), then the password, then the
 * password to whatever the server asks for on the keyboard.
 */
export const prepareAuthentication = async (login: Login): Promise<Result<Authentication, Failure>> => {
  const prepared = login.identityFile ? await namedKey(login, login.identityFile) : ok(await usualKeys(login));
  if (!prepared.ok) return prepared;
  const {attempts, ...rest} = prepared.value;
  return ok(authentication(login, {...rest, attempts: [...attempts, ...passwordAttempts(login)]}));
};

const fileAttempt = ({user}: Login, {file, key}: Identity & {state: 'ready'}): Attempt => ({
  label: `key ${file}`,
  asked: 'publickey',
  method: {type: 'publickey', username: user, key},
});

const agentAttempt = (
  {user}: Login,
  agent: Parameters<typeof withOneKey>[0],
  key: AgentKey,
  file?: string,
): Attempt => {
  let refused = false;
  return {
    label: `key ${file ?? (key.comment || key.parsed.type)} from the agent`,
    asked: 'publickey',
    method: {
      type: 'agent',
      username: user,
      agent: withOneKey(agent, key, () => {
        refused = true;
      }),
    },
    outcome: () => (refused ? 'the agent did not sign' : undefined),
  };
};

const lockedNote = ({file, problem}: Identity & {state: 'locked'}): string => `${file}: ${problem}`;

const namedKey = async (login: Login, file: string): Promise<Result<Prepared, Failure>> => {
  const identity = await readIdentity(file, login.credentials.passphrase(file));
  if (identity.state === 'unusable') return err(unusableKey(login, identity));
  if (identity.state === 'ready')
    return ok({attempts: [fileAttempt(login, identity)], notes: [], identities: [identity]});
  const fromAgent = login.settings.agentSocket ? await agentKeys(login.settings.agentSocket) : undefined;
  if (fromAgent && 'keys' in fromAgent) {
    const key = fromAgent.keys.find(({publicKey}) => publicKey === identity.publicKey);
    if (key)
      return ok({attempts: [agentAttempt(login, fromAgent.agent, key, file)], notes: [], identities: [identity]});
  }
  return login.credentials.password(login.host) === undefined
    ? err(lockedKey(login, identity))
    : ok({attempts: [], notes: [lockedNote(identity)], identities: [identity]});
};

const usualKeys = async (login: Login): Promise<Prepared> => {
  const {identityFiles, identitiesOnly, agentSocket} = login.settings;
  const identities = (
    await Promise.all(identityFiles.map(file => readIdentity(file, login.credentials.passphrase(file))))
  ).filter(identity => identity.state !== 'unusable' || identity.problem !== 'missing');
  const fromAgent = agentSocket ? await agentKeys(agentSocket) : undefined;
  const held = fromAgent && 'keys' in fromAgent ? fromAgent.keys : [];
  const fileOf = (key: AgentKey) =>
    identities.find(identity => identity.state !== 'unusable' && identity.publicKey === key.publicKey)?.file;
  const offered = held
    .filter(key => !identitiesOnly || fileOf(key) !== undefined)
    .toSorted((a, b) => Number(fileOf(b) !== undefined) - Number(fileOf(a) !== undefined));
  const inAgent = new Set(offered.map(({publicKey}) => publicKey));
  return {
    identities,
    attempts: [
      ...(fromAgent && 'agent' in fromAgent
        ? offered.map(key => agentAttempt(login, fromAgent.agent, key, fileOf(key)))
        : []),
      ...identities.flatMap(identity =>
        identity.state === 'ready' && !inAgent.has(identity.publicKey) ? [fileAttempt(login, identity)] : [],
      ),
    ],
    notes: [
      ...(fromAgent && 'problem' in fromAgent ? [fromAgent.problem] : []),
      ...identities.flatMap(identity => {
        if (identity.state === 'unusable') return [`${identity.file}: ${identity.detail}`];
        if (identity.state === 'ready' || (identity.publicKey && inAgent.has(identity.publicKey))) return [];
        return [lockedNote(identity)];
      }),
    ],
  };
};

const passwordAttempts = ({host, user, credentials}: Login): Attempt[] => {
  const password = credentials.password(host);
  if (password === undefined) return [];
  return [
    {label: 'password', asked: 'password', method: {type: 'password', username: user, password}},
    {
      label: 'password, typed when asked',
      asked: 'keyboard-interactive',
      method: {
        type: 'keyboard-interactive',
        username: user,
        // What is shown while it is typed (a code, a user name) is no password and gets no answer from us.
        prompt: (_name, _instructions, _language, prompts, finish) =>
          finish(prompts.map(({echo}) => (echo ? '' : password))),
      },
    },
  ];
};

const refusedPassword = 'password (refused)';

const authentication = (login: Login, {attempts, notes, identities}: Prepared): Authentication => {
  const tried: string[] = [];
  const waiting = [...attempts];
  let current: Attempt | undefined;
  let allowed: readonly AuthenticationType[] | undefined;
  let asked = false;

  const conclude = (partial: boolean): void => {
    if (current)
      tried.push(`${current.label} (${partial ? 'accepted, but not enough' : (current.outcome?.() ?? 'refused')})`);
    current = undefined;
  };

  return {
    handler: (methodsLeft, partial) => {
      // The answer to "none" says what the server allows, before anything is offered.
      if (!asked) {
        asked = true;
        return {type: 'none', username: login.user};
      }
      // After an agent's key ssh2 hands on the list of before, which may have changed.
      const fresh = current?.method.type !== 'agent';
      conclude(partial === true);
      if (fresh && methodsLeft) allowed = methodsLeft;
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        if (fresh && allowed && !allowed.includes(next.asked)) continue;
        // The same password again would only count as a second wrong one.
        if (next.asked === 'keyboard-interactive' && tried.includes(refusedPassword)) continue;
        current = next;
        return next.method;
      }
      return false;
    },
    failure: error => {
      conclude(false);
      return loginFailure(login, {tried, notes, identities, allowed, error});
    },
  };
};

const unusableKey = ({host, user}: Login, {file, problem, detail}: Identity & {state: 'unusable'}): Failure => ({
  kind: 'authentication',
  host,
  attempted: `logging in as ${user}`,
  ...{
    missing: {
      message: `The key file ${file} does not exist on this machine.`,
      remedy: 'Correct its path, or leave it empty to use the ssh-agent and the usual keys.',
    },
    unreadable: {
      message: `The key file ${file} cannot be read.`,
      cause: detail,
      remedy: `Make it readable for you alone: \`chmod 600 ${file}\`, as its owner.`,
    },
    'no key': {
      message: `The file ${file} holds no private key that can be used here.`,
      cause: detail,
      remedy: `Give a key in OpenSSH's format; \`ssh-keygen -p -f ${file}\` converts most others.`,
    },
  }[problem],
});

const lockedKey = ({host, user}: Login, {file, problem}: Identity & {state: 'locked'}): Failure => ({
  kind: 'authentication',
  host,
  attempted: `logging in as ${user}`,
  ...{
    'no passphrase given': {
      message: `The key ${file} is encrypted, and its passphrase was not given.`,
      remedy: `Give the passphrase, or add the key to your ssh-agent: \`ssh-add ${file}\`.`,
    },
    'wrong passphrase': {
      message: `The passphrase of the key ${file} is wrong.`,
      remedy: 'Give the passphrase again.',
    },
    'only the public part': {
      message: `The file ${file} is a public key, and no ssh-agent holds the private one.`,
      remedy: `Name the private key, or add it to your ssh-agent with \`ssh-add\`.`,
    },
  }[problem],
});

type Record = {
  readonly tried: readonly string[];
  readonly notes: readonly string[];
  readonly identities: readonly Identity[];
  readonly allowed: readonly string[] | undefined;
  readonly error: unknown;
};

const loginFailure = (login: Login, {tried, notes, identities, allowed, error}: Record): Failure => {
  const {host, user} = login;
  const locked = identities.find(identity => identity.state === 'locked');
  if (tried.length === 0 && locked) return {...lockedKey(login, locked), cause: sentences(tried, notes, allowed)};
  const tooMany = /too many authentication failures/i.test(error instanceof Error ? error.message : '');
  const onlyPasswords = tried.length > 0 && tried.every(label => label.startsWith('password'));
  const message =
    tried.length === 0
      ? `There is nothing to log in to ${host} as ${user} with: no key of yours is usable, and no password was given.`
      : onlyPasswords
        ? `${host} did not accept the password of ${user}.`
        : tooMany
          ? `${host} ended the login of ${user}: too many keys were tried.`
          : `${host} did not accept the login of ${user}.`;
  return {
    kind: 'authentication',
    host,
    attempted: `logging in as ${user}`,
    message,
    cause: sentences(tried, notes, allowed),
    remedy: tooMany
      ? 'Name the key file of this host, so that only that key is offered.'
      : remedyFor(user, onlyPasswords, allowed),
  };
};

const sentences = (
  tried: readonly string[],
  notes: readonly string[],
  allowed: readonly string[] | undefined,
): string =>
  quotable(
    [
      tried.length > 0 ? `Tried, in this order: ${tried.join(', ')}.` : 'Nothing was tried.',
      ...(allowed ? [`The server allows: ${allowed.join(', ') || 'nothing'}.`] : []),
      ...(notes.length > 0 ? [`Not used: ${notes.join('; ')}.`] : []),
    ].join(' '),
  );

const remedyFor = (user: string, onlyPasswords: boolean, allowed: readonly string[] | undefined): string => {
  const passwords =
    allowed === undefined || allowed.some(method => method === 'password' || method === 'keyboard-interactive');
  if (onlyPasswords) return 'Check the user name and give the password again.';
  const key = `put your public key into ~${user}/.ssh/authorized_keys on the host`;
  return passwords
    ? `Check the user name; then ${key}, name the right key file, or give the password.`
    : `Check the user name; then ${key}, or name the right key file. The server takes no password.`;
};
