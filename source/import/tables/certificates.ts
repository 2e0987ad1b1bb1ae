import {quote} from '../../shell/script.ts';
import {deploymentName, type Look, left, type Row, secretLeft, type Table, taken} from '../reading.ts';

/** Certificates by the name that the scripts have for them, with the name that they get in the vault. */
const names = {wildcard: 'main', rancher: 'rancher'} as const;

const wanted = (look: Look): readonly string[] =>
  Object.entries(names).flatMap(([theirs, ours]) => (look.of(`tls_${theirs}_cert`) === undefined ? [] : [ours]));

/** Which certificates there are is part of a deployment; they themselves are brought into the vault. */
const certificate =
  (name: keyof typeof names): Row =>
  (value, look) => {
    const files = [value, look.of(`tls_${name}_key`), look.of(`tls_${name}_chain`)].filter(file => file !== undefined);
    const called = names[name] === 'main' ? '' : ` --name ${names[name]}`;
    return taken(
      {'tls.certificates': wanted(look)},
      `bring it: groundwork certificates import ${files.map(quote).join(' ')} --deployment ${deploymentName}${called}`,
    );
  };

const withCertificate = left('is brought together with the certificate');
const password = secretLeft('is asked for when the certificate is brought');
const ofKeycloak = left('each environment has a Keycloak of its own; its names are covered with the others');

const certificateOf = (name: string, row: Row, file: Row): Table => ({
  [`tls_${name}_cert`]: row,
  [`tls_${name}_key`]: file,
  [`tls_${name}_chain`]: file,
  [`tls_${name}_password`]: password,
});

/** Certificates that a site has. */
export const suppliedCertificates: Table = {
  ...certificateOf('wildcard', certificate('wildcard'), withCertificate),
  ...certificateOf('rancher', certificate('rancher'), withCertificate),
  ...certificateOf('keycloak', ofKeycloak, ofKeycloak),
};

const noAcme = left(
  'certificates come from an authority of the deployment, or are brought by you; not from Let’s Encrypt',
);
const noAcmeSecret = secretLeft('Groundwork writes no records for Let’s Encrypt');

/** Let's Encrypt, in the newer form of the sandbox's file. */
export const letsEncrypt: Table = {
  'tls.email': noAcme,
  'tls.dns_provider': noAcme,
  'tls.staging': noAcme,
  'tls.publish_a_records': left(
    'records outside are made by you; devices of the VPN ask the DNS server on the machine',
  ),
  'tls.cf_account_id': noAcme,
  'tls.acmedns_base_url': noAcme,
  'tls.acmedns_subdomain': noAcme,
  'tls.acmedns_username': noAcmeSecret,
  'tls.api_token': noAcmeSecret,
  'tls.aws_access_key_id': noAcmeSecret,
  'tls.aws_secret_access_key': noAcmeSecret,
  'tls.acmedns_password': noAcmeSecret,
};
