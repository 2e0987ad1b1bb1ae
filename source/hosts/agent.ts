import ssh2, {type BaseAgent, type ParsedKey, type SignCallback, type SigningRequestOptions} from 'ssh2';

/** A key that an ssh-agent offers. */
export type AgentKey = {readonly publicKey: string; readonly comment: string; readonly parsed: ParsedKey};

/** The agent's keys, or why there are none, as the end of a sentence. */
export type AgentKeys = {readonly agent: BaseAgent; readonly keys: readonly AgentKey[]} | {readonly problem: string};

/** The public part in base64, as authorized_keys holds it. */
export const publicKeyOf = (key: ParsedKey): string => key.getPublicSSH().toString('base64');

/** The one key of a text; ssh2 gives a list where a file might hold several, which none does. */
export const parseKey = (text: string | Buffer | ParsedKey, passphrase?: string): ParsedKey | Error => {
  const parsed: ParsedKey | Error | (ParsedKey | Error)[] = ssh2.utils.parseKey(text, passphrase);
  return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key in it')) : parsed;
};

/** The keys of the agent at a socket. Hardware keys are among them only as far as ssh2 can use them. */
export const agentKeys = (socket: string): Promise<AgentKeys> =>
  new Promise(resolve => {
    const agent = ssh2.createAgent(socket);
    agent.getIdentities((error, identities) => {
      if (error) {
        resolve({problem: `the ssh-agent at ${socket} does not answer`});
        return;
      }
      const keys = (identities ?? []).flatMap(identity => {
        // ssh2's own agent gives parsed keys; its types allow for agents that are made by others.
        const parsed = parseKey(identity as ParsedKey);
        // DSA keys have had no server to take them since OpenSSH 7.0.
        if (parsed instanceof Error || parsed.type === 'ssh-dss') return [];
        return [{parsed, publicKey: publicKeyOf(parsed), comment: parsed.comment}];
      });
      resolve(keys.length > 0 ? {agent, keys} : {problem: 'the ssh-agent offers no key (it is empty, or locked)'});
    });
  });

/** What no key signed: zeros, which ssh2 passes on for every kind of key and no server accepts. */
const noSignature = Buffer.alloc(64);

/**
 * The agent with one key only, so that each key is one attempt of its own and none is offered that was not meant.
 * A signature that the agent refuses (locked meanwhile, not confirmed, not touched) becomes one that the server
 * refuses, because ssh2 would otherwise give up the connection with all keys that are left.
 */
export const withOneKey = (agent: BaseAgent, {parsed}: AgentKey, refused: () => void): BaseAgent => {
  class OneKey extends ssh2.BaseAgent<ParsedKey> {
    override getIdentities(callback: (error: undefined, keys: ParsedKey[]) => void): void {
      callback(undefined, [parsed]);
    }
    override sign(
      key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      callback?: SignCallback,
    ): void {
      const done = typeof options === 'function' ? options : callback;
      agent.sign(key, data, typeof options === 'function' ? {} : options, (error, signature) => {
        if (error) refused();
        done?.(undefined, error ? noSignature : signature);
      });
    }
  }
  return new OneKey();
};
