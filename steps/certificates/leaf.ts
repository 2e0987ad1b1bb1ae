import type {Failure} from '../../source/engine/failure.ts';
import {type Definition, resource} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {type Authority, issueLeaf} from '../../source/tls/authority.ts';
import {leafChanges} from '../../source/tls/certificate.ts';

type LeafState = {
  /** Mode and owner of the private key's file; undefined without one. */
  readonly keyMode: string | undefined;
  readonly publicKey: string | undefined;
  readonly certificate: string | undefined;
};

/** Where a key and its certificate lie, and who reads the key beside root: nginx needs nobody, a database its own user. */
export type LeafFiles = {
  readonly directory: string;
  readonly key: string;
  readonly certificate: string;
  /** `user:group` of the key. Default `root:root`. */
  readonly owner?: string;
};

export type LeafOptions = {
  readonly files: LeafFiles;
  readonly authority: Authority;
  readonly names: readonly string[];
  readonly now: Date;
  readonly days: number;
  readonly renewDays: number;
};

const pemOf = (text: string, kind: string): string | undefined => {
  const block = new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----`).exec(text)?.[0];
  return block && `${block}\n`;
};

const ownerOf = ({owner = 'root:root'}: LeafFiles): string => owner;

const readState = ({key, certificate}: LeafFiles): Script => sh`if [ -e ${key} ]; then
  stat -c 'key %a %U:%G' ${key}
  openssl pkey -in ${key} -pubout 2>/dev/null
fi
cat ${certificate} 2>/dev/null || :`;

const parseState = (stdout: string): LeafState => ({
  keyMode: /^key (.*)$/m.exec(stdout)?.[1],
  publicKey: pemOf(stdout, 'PUBLIC KEY'),
  certificate: pemOf(stdout, 'CERTIFICATE'),
});

/** A key only for this certificate: it is replaced when it cannot be read, and its mode is put right. */
const makeKey = (files: LeafFiles): Script => sh`set -e
umask 077
mkdir -p ${files.directory}
if ! openssl pkey -in ${files.key} -noout 2>/dev/null; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${`${files.key}.new`}
  mv ${`${files.key}.new`} ${files.key}
fi
chown ${ownerOf(files)} ${files.key}
chmod 600 ${files.key}
${readState(files)}`;

const writeCertificate = (path: string, certificate: string): Script => sh`set -e
printf '%s' ${certificate} >${`${path}.new`}
chmod 644 ${`${path}.new`}
mv ${`${path}.new`} ${path}`;

/**
 * A server's certificate. Its private key is made on the host and stays there; the public one comes here, is signed
 * by the authority of the vault, and goes back as a certificate. Issued again when a name, the key or the authority
 * changed, and `renewDays` before it ends.
 */
export const leaf = ({files, authority, names, now, days, renewDays}: LeafOptions) => {
  const cannotIssue = (message: string): Failure => ({
    kind: 'input',
    message: `The certificate cannot be issued: ${message}.`,
    attempted: `issuing the certificate of ${names[0]}`,
  });
  const reasons = ({publicKey, certificate}: LeafState, at: Date): readonly string[] =>
    publicKey === undefined
      ? ['its private key is new']
      : leafChanges({certificate, publicKey, names, authority: authority.certificate, now: at, renewDays});
  return resource<LeafState>({
    id: `certificate ${files.certificate}`,
    doing: `issuing the certificate of ${names[0]}`,
    probe: readState(files),
    read: ({stdout}) => ok(parseState(stdout)),
    diff: state => {
      const why = reasons(state, now);
      return [
        ...(state.publicKey === undefined ? [{summary: 'make a private key on the host'}] : []),
        ...(state.publicKey !== undefined && state.keyMode !== `600 ${ownerOf(files)}`
          ? [{summary: `owner and mode of the private key ${state.keyMode} → 600 ${ownerOf(files)}`}]
          : []),
        ...(why.length > 0
          ? [{summary: `issue a certificate for ${names.join(', ')}`, detail: why.map(reason => `because ${reason}`)}]
          : []),
      ];
    },
    apply: () => async port => {
      const made = await port.run(makeKey(files));
      if (!made.ok) return made;
      const state = parseState(made.value.stdout);
      if (state.publicKey === undefined) return err(cannotIssue('the host showed no public key'));
      if (reasons(state, port.now()).length === 0) return ok();
      const {publicKey} = state;
      const issued = await issueLeaf({authority, publicKey, names, now: port.now(), days});
      return issued.ok ? port.run(writeCertificate(files.certificate, issued.value)) : err(cannotIssue(issued.error));
    },
  } satisfies Definition<LeafState>);
};
