/** What a server showed as its host key, held against the operator's known hosts. */
export type HostKeyFinding = {
  readonly host: string;
  /** As known_hosts writes it: `10.0.0.11` or `[10.0.0.11]:2222`. */
  readonly knownAs: string;
  /** `ssh-ed25519`, … */
  readonly type: string;
  /** `SHA256:…` as OpenSSH prints it. */
  readonly fingerprint: string;
  /** The public key in base64, as known_hosts holds it. */
  readonly key: string;
  readonly status: 'known' | 'unknown' | 'changed' | 'revoked';
  /** The fingerprint that was expected, when `changed`. */
  readonly expected?: string;
  /** What the operator should know beside it: where the known key stands, that a certificate authority is not used. */
  readonly note?: string;
};
