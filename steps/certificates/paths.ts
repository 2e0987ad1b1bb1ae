import type {Deployment} from '../../source/deployment/schema.ts';

/** Where TLS material of a host lies. The same names whatever the domain, so that nginx's settings stay the same. */
export const paths = {
  directory: '/etc/groundwork/tls',
  authority: '/etc/groundwork/tls/ca.crt',
  /** Made on the host; never leaves it. */
  key: '/etc/groundwork/tls/server.key',
  certificate: '/etc/groundwork/tls/server.crt',
} as const;

/** Where a supplied certificate and its key lie, by its name. The dot keeps them apart from the files above. */
export const suppliedPaths = (name: string) => ({
  certificate: `${paths.directory}/supplied.${name}.crt`,
  key: `${paths.directory}/supplied.${name}.key`,
});

/** Where Debian's and Ubuntu's update-ca-certificates looks for authorities of the site. */
export const trustedPath = ({name}: Pick<Deployment, 'name'>, index = 0): string =>
  `/usr/local/share/ca-certificates/groundwork-${name}${index === 0 ? '' : `.${index + 1}`}.crt`;

/** All that the system trusts, in one file; most programs read this one. */
export const trustBundle = '/etc/ssl/certs/ca-certificates.crt';

/** Supplied certificates as they are handed over, for the record: what the proxy sends, without a key. */
export const handedOverCertificate = (name: string): string => `certificates/${name}.pem`;

/** The CA's certificate as it is handed over, in the deployment's own folder. */
export const handedOverAuthority = 'ca.crt';
