import {left, leftOut, type Row, secretLeft, type Table} from '../reading.ts';

const certificate: Row = value => leftOut(`bring it with: groundwork certificates import NAME ${value}`);
const withCertificate = left('is given together with the certificate: groundwork certificates import');
const password = secretLeft('is asked for when the certificate is imported');

const certificateOf = (name: string): Table => ({
  [`tls_${name}_cert`]: certificate,
  [`tls_${name}_key`]: withCertificate,
  [`tls_${name}_chain`]: withCertificate,
  [`tls_${name}_password`]: password,
});

/** Certificates that a site has: files are no part of a deployment. */
export const suppliedCertificates: Table = {
  ...certificateOf('wildcard'),
  ...certificateOf('rancher'),
  ...certificateOf('keycloak'),
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
