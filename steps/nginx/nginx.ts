import {step, type Verification} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {absent, file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {err, ok} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {voucherSpecs} from '../certificates/authority.ts';
import {certificates} from '../certificates/certificates.ts';
import {exampleOf} from '../certificates/names.ts';
import {paths} from '../certificates/paths.ts';
import {proxyCertificates} from '../certificates/proxy.ts';
import {firewall} from '../firewall/firewall.ts';
import {exitsZero, prints, said} from '../shared/checks.ts';
import {roles, systemOf} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {configurationPath, nginxConfiguration, pagesDirectory, refusal, serversOf} from './configuration.ts';
import {listening, listensAsWritten} from './listening.ts';
import {notAnswering} from './pages.ts';
import {nginxRemedies} from './remedies.ts';
import {nginxRemoval} from './removal.ts';
import type {Server} from './servers.ts';

/**
 * Whether nginx would start with the candidate. It is tried in a copy of all of nginx's settings, since it is only
 * right or wrong together with them.
 */
const accepted = (candidate: string): Script => sh`set -e
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -a /etc/nginx/. "$copy"
cp ${candidate} "$copy/conf.d/groundwork.conf"
sed -i "s#/etc/nginx/#$copy/#g" "$copy/nginx.conf"
nginx -t -q -c "$copy/nginx.conf"`;

/** nginx before 1.19.4 needs a certificate even to refuse: one that names nobody. */
const refusalCertificate: Resource = command({
  id: `certificate ${refusal.certificate}`,
  doing: 'making a certificate that names nobody',
  unless: sh`openssl x509 -in ${refusal.certificate} -noout -checkend 2592000 >/dev/null 2>&1 && [ -s ${refusal.key} ]`,
  script: sh`set -e
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=invalid \
  -keyout ${refusal.key} -out ${refusal.certificate} 2>/dev/null`,
  change: 'make a certificate that names nobody',
});

/** curl to this host's own private address under any name, as a machine of the private subnet would. */
const curl = (address: string, name: string, port: number, ...more: readonly string[]): Script =>
  sh`curl --silent --noproxy '*' --max-time 8 --resolve ${`${name}:${port}:${address}`} ${more}`;

/** What curl says when the other side hangs up: TLS refused, empty answer, reset, HTTP/2 stream closed. */
const hungUp = new Set([35, 52, 56, 92]);

const refuses = (id: string, title: string, script: Script): Verification => ({
  id,
  title,
  script,
  check: output =>
    hungUp.has(output.code)
      ? ok(`the connection was closed (curl ${output.code})`)
      : err(`expected a closed connection, got status ${output.code}: ${said(output)}`),
});

/** Each server by a handshake: what is on the disk is not yet what nginx shows. */
const served =
  (address: string) =>
  ({names, certificate}: Server, index: number): Verification => {
    const name = exampleOf(names[0] ?? '');
    return exitsZero(
      {
        id: `certificate-${index + 1}`,
        title: `nginx shows the certificate for ${names.join(', ')}`,
        script: sh`shown=$(timeout 8 openssl s_client -connect ${`${address}:443`} -servername ${name} -verify_hostname ${name} -verify_return_error -CAfile ${paths.authority} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256) &&
[ "$shown" = "$(openssl x509 -in ${certificate.certificate} -noout -fingerprint -sha256)" ]`,
      },
      'the handshake succeeds with the certificate that lies on the host',
    );
  };

export const nginx = step({
  id: 'nginx',
  title: 'nginx reverse proxy',
  why: 'Takes every request from outside, checks where it comes from, ends TLS and hands it to the platform.',
  role: roles.proxy,
  after: [certificates, firewall],
  estimate: 15,
  removal: nginxRemoval,
  secrets: voucherSpecs,
  resources: ({deployment, host, facts, secret}) => {
    const system = systemOf(facts);
    const certified = proxyCertificates(deployment, secret);
    return [
      // Not started by its package: it would greet strangers with the distribution's page.
      aptPackages([system.packages.proxy], {withoutStarting: true}),
      absent('/etc/nginx/sites-enabled/default'),
      directory(pagesDirectory),
      file(`${pagesDirectory}/healthz`, 'ok\n'),
      file(`${pagesDirectory}/not-answering.html`, notAnswering),
      ...(system.nginx.rejectHandshake ? [] : [refusalCertificate]),
      file(configurationPath, nginxConfiguration(deployment, host, facts, system, certified), {validate: accepted}),
      service('nginx.service', {
        enabled: true,
        running: true,
        configuration: [configurationPath, ...certified.flatMap(({certificate, key}) => [certificate, key])],
        onChange: 'reload',
      }),
      listensAsWritten(deployment, host, facts),
    ];
  },
  verify: ({deployment, host, facts, secret}) => {
    const servers = serversOf(deployment, proxyCertificates(deployment, secret));
    const name = exampleOf(servers[0]?.names[0] ?? deployment.domain);
    const address = host.privateAddress;
    const sockets = listening(deployment, host, facts);
    return [
      exitsZero(
        {id: 'configuration', title: 'nginx accepts its configuration', script: sh`nginx -t`},
        'the configuration test is successful',
      ),
      // A rehearsal’s nginx is a stand-in, with which no handshake can be made.
      ...(deployment.tls.mode === 'supplied' && !facts.practice ? servers.map(served(address)) : []),
      prints(
        {
          id: 'listens',
          title: 'nginx listens at the addresses that are meant, and at no others',
          script: sockets.script,
        },
        sockets.expected,
      ),
      prints(
        {
          id: 'answers',
          title: `nginx answers for ${name} with a certificate that the deployment’s CA vouches for`,
          script: sh`${curl(address, name, 443, '--cacert', paths.authority)} ${`https://${name}/healthz`}`,
        },
        'ok',
      ),
      prints(
        {
          id: 'redirects',
          title: 'plain HTTP is sent to HTTPS',
          script: sh`${curl(address, name, 80, '--output', '/dev/null', '--write-out', '%{http_code} %{redirect_url}')} ${`http://${name}/`}`,
        },
        `301 https://${name}/`,
      ),
      refuses(
        'refuses-http',
        'nginx answers nothing to a name that is not served (HTTP)',
        sh`${curl(address, 'not-served.invalid', 80)} http://not-served.invalid/`,
      ),
      refuses(
        'refuses-https',
        'nginx answers nothing to a name that is not served (HTTPS)',
        sh`${curl(address, 'not-served.invalid', 443, '--insecure')} https://not-served.invalid/`,
      ),
    ];
  },
  remedies: [...aptRemedies, ...nginxRemedies],
});
