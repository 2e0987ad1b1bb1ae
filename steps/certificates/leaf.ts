import type {Failure} from '../../source/engine/failure.ts';
import {type Definition, resource} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import {type Authority, issueLeaf} from '../../source/tls/authority.ts';
import {leafChanges} from '../../source/tls/certificate.ts';
import {paths} from './paths.ts';

type LeafState = {
  /** Mode and owner of the private key's file; undefined without one. */
  readonly keyMode: string | undefined;
  readonly publicKey: string | undefined;
  readonly certificate: string | undefined;
};

export type LeafOptions = {
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

const readState = sh`if [ -e ${paths.key} ]; then
  stat -c 'key %a %U:%G' ${paths.key}
  openssl pkey -in ${paths.key} -pubout 2>/dev/null
fi
cat ${paths.certificate} 2>/dev/null || :`;

const parseState = (stdout: string): LeafState => ({
  keyMode: /^key (.*)$/m.exec(stdout)?.[1],
  publicKey: pemOf(stdout, 'PUBLIC KEY'),
  certificate: pemOf(stdout, 'CERTIFICATE'),
});

/** A key only for this certificate: it is replaced when it cannot be read, and its mode is put right. */
const makeKey = sh`set -e
umask 077
mkdir -p ${paths.directory}
if ! openssl pkey -in ${paths.key} -noout 2>/dev/null; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${`${paths.key}.new`}
  mv ${`${paths.key}.new`} ${paths.key}
fi
chown root:root ${paths.key}
chmod 600 ${paths.key}
${readState}`;

const writeCertificate = (certificate: string) => sh`set -e
printf '%s' ${certificate} >${`${paths.certificate}.new`}
chmod 644 ${`${paths.certificate}.new`}
mv ${`${paths.certificate}.new`} ${paths.certificate}`;

const cannotIssue = (message: string): Failure => ({
  kind: 'input',
  message: `The certificate cannot be issued: ${message}.`,
  attempted: 'issuing the certificate of the proxy',
});

/**
 * The proxy's certificate. Its private key is made on the host and stays there; the public one comes here, is signed
 * by the authority of the vault, and goes back as a certificate. Issued again when a name, the key or the authority
 * changed, and `renewDays` before it ends.
 */
export const leaf = ({authority, names, now, days, renewDays}: LeafOptions) => {
  const reasons = ({publicKey, certificate}: LeafState, at: Date): readonly string[] =>
    publicKey === undefined
      ? ['its private key is new']
      : leafChanges({certificate, publicKey, names, authority: authority.certificate, now: at, renewDays});
  return resource<LeafState>({
    id: `certificate ${paths.certificate}`,
    doing: `issuing the certificate of ${names[0]}`,
    probe: readState,
    read: ({stdout}) => ok(parseState(stdout)),
    diff: state => {
      const why = reasons(state, now);
      return [
        ...(state.publicKey === undefined ? [{summary: 'make a private key on the host'}] : []),
        ...(state.publicKey !== undefined && state.keyMode !== '600 root:root'
          ? [{summary: `owner and mode of the private key ${state.keyMode} → 600 root:root`}]
          : []),
        ...(why.length > 0
          ? [{summary: `issue a certificate for ${names.join(', ')}`, detail: why.map(reason => `because ${reason}`)}]
          : []),
      ];
    },
    apply: () => async port => {
      const made = await port.run(makeKey);
      if (!made.ok) return made;
      const state = parseState(made.value.stdout);
      if (state.publicKey === undefined) return err(cannotIssue('the host showed no public key'));
      if (reasons(state, port.now()).length === 0) return ok();
      const {publicKey} = state;
      const issued = await issueLeaf({authority, publicKey, names, now: port.now(), days});
      return issued.ok ? port.run(writeCertificate(issued.value)) : err(cannotIssue(issued.error));
    },
  } satisfies Definition<LeafState>);
};
