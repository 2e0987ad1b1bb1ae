import {environmentDomain, isDirectlyBelow} from '../../source/deployment/environments.ts';
import type {Deployment, Environment, HostSpec} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import type {OsData} from '../../source/hosts/os-data.ts';
import type {ProxyCertificate} from '../certificates/proxy.ts';
import {clientNames, environmentClientNames, platformNames} from '../shared/client-names.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {hasKubernetes, hostsPlaying, isPublic, namesBelow, roles, servedNames, vpns} from '../shared/deployment.ts';
import {gatewayPorts, rancherName} from '../shared/platform.ts';
import {listenLines, type Reach} from './listening.ts';
import {type Server, type Site, serversFor} from './servers.ts';

export const configurationPath = '/etc/nginx/conf.d/groundwork.conf';

/** Pages that nginx itself has to give: they exist without the platform. */
export const pagesDirectory = '/var/www/groundwork';

/** With what nginx refuses names that are not ours where it cannot refuse the handshake itself (before 1.19.4). */
export const refusal = {key: '/etc/groundwork/tls/refuse.key', certificate: '/etc/groundwork/tls/refuse.crt'} as const;

const indent = (text: readonly string[]): readonly string[] => text.map(line => (line === '' ? '' : `    ${line}`));

const block = (head: string, ...body: readonly (string | readonly string[])[]): readonly string[] => [
  `${head} {`,
  ...indent(body.flat()),
  '}',
];

/**
 * Who may use what is not for the public: the machines, the VPNs' peers, and pods, which come to a proxy on their own
 * machine with their own addresses. The last of the layers: the firewall keeps strangers out before, and this holds
 * when somebody opens a port for another purpose.
 */
export const insidersOnly = (deployment: Deployment): readonly string[] => [
  ...[
    deployment.network.privateSubnet,
    ...vpns(deployment).map(({subnet}) => subnet),
    ...(hasKubernetes(deployment) ? [deployment.network.pods] : []),
  ].map(source => `allow ${word(source)};`),
  'deny all;',
];

/** Who may use the platform. Empty when a public channel lets everybody in. */
export const allowList = (deployment: Deployment): readonly string[] =>
  isPublic(deployment) ? [] : insidersOnly(deployment);

/** Mozilla's intermediate set of 2025: every browser and client library of the last ten years. */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** In every server of port 443: which of them a client meets is only known after the handshake has begun. */
const tls = [
  'ssl_protocols TLSv1.2 TLSv1.3;',
  `ssl_ciphers ${ciphers};`,
  'ssl_prefer_server_ciphers off;',
  'ssl_session_cache shared:groundwork:10m;',
  'ssl_session_timeout 1d;',
  'ssl_session_tickets off;',
];

type Where = Parameters<typeof listenLines>[2];

/** Answers nothing to those who ask for no name, or for another than ours: scanners mostly. */
const defaultServers = (where: Where, {nginx}: Pick<OsData, 'nginx'>): readonly string[] => [
  ...block('server', listenLines(80, ' default_server', where), 'server_name _;', 'access_log off;', 'return 444;'),
  '',
  ...block(
    'server',
    listenLines(443, ' ssl default_server', where),
    'server_name _;',
    'access_log off;',
    tls,
    nginx.rejectHandshake
      ? 'ssl_reject_handshake on;'
      : [`ssl_certificate ${refusal.certificate};`, `ssl_certificate_key ${refusal.key};`],
    // Who began with a name that is served here may go on with one that is not.
    'return 444;',
  ),
];

const proxyHeaders = [
  'proxy_set_header Host $host;',
  'proxy_set_header Upgrade $http_upgrade;',
  'proxy_set_header Connection $groundwork_connection;',
  'proxy_set_header X-Real-IP $remote_addr;',
  // Set, not added to: this is the edge, and what a client claims about itself is not to be believed.
  'proxy_set_header X-Forwarded-For $remote_addr;',
  'proxy_set_header X-Forwarded-Host $host;',
  'proxy_set_header X-Forwarded-Proto $scheme;',
];

/** Seconds that an answer may be silent. */
const patience = {ordinary: 300, terminals: 3600} as const;

const platform = (silentSeconds: number): readonly string[] =>
  block(
    'location /',
    'proxy_pass http://groundwork_platform;',
    'proxy_http_version 1.1;',
    proxyHeaders,
    'proxy_connect_timeout 5s;',
    `proxy_read_timeout ${silentSeconds}s;`,
    `proxy_send_timeout ${silentSeconds}s;`,
    // Headers of Keycloak's answers outgrow nginx's 4k.
    'proxy_buffer_size 16k;',
    'proxy_buffers 8 16k;',
    'proxy_busy_buffers_size 32k;',
    'error_page 502 504 =503 /groundwork/not-answering.html;',
  );

const pages = [
  ...block('location = /healthz', `root ${pagesDirectory};`, 'default_type text/plain;', 'access_log off;'),
  '',
  ...block('location = /groundwork/not-answering.html', 'internal;', `alias ${pagesDirectory}/not-answering.html;`),
];

/**
 * nginx keeps names in buckets of 64 bytes, of which some are its own: a longer name stops it from starting. Said only
 * then, because the setting may stand only once and somebody else may have said it.
 */
const roomForNames = (names: readonly string[]): readonly string[] =>
  names.some(name => name.length > 40) ? ['server_names_hash_bucket_size 512;'] : [];

/** Of an environment: its own domain, and services of it that are found directly below the deployment's. */
const environmentNames = (deployment: Deployment, environment: Environment): readonly string[] => {
  const own = environmentDomain(deployment, environment);
  const elsewhere = Object.values(environment.hostnames).filter(
    name => name !== undefined && !isDirectlyBelow(name, own),
  );
  return [...namesBelow(own), ...elsewhere];
};

/**
 * With the ground alone, all names are one site. With the platform, what operators work with stays closed also when a
 * public channel opens the environments: nginx chooses the site by the name in the request, so a name that somebody
 * only claims leads no further than the real one. Rancher's terminals and logs may be silent for an hour.
 */
const sites = (deployment: Deployment): readonly Site[] => {
  if (!hasKubernetes(deployment))
    return [
      {
        names: servedNames(deployment),
        clients: clientNames(deployment),
        access: allowList(deployment),
        silentSeconds: patience.ordinary,
      },
    ];
  const closed = insidersOnly(deployment);
  const rancher = rancherName(deployment);
  return [
    {names: [rancher], clients: [], access: closed, silentSeconds: patience.terminals},
    {
      names: namesBelow(deployment.domain),
      clients: platformNames(deployment).filter(name => name !== rancher),
      access: closed,
      silentSeconds: patience.ordinary,
    },
    ...deployment.environments.map(each => ({
      names: environmentNames(deployment, each),
      clients: environmentClientNames(deployment, each),
      access: allowList(deployment),
      silentSeconds: patience.ordinary,
    })),
  ];
};

/** The servers of port 443 with what each of them serves. */
export const serversOf = (deployment: Deployment, certificates: readonly ProxyCertificate[]): readonly Server[] =>
  serversFor(sites(deployment), certificates);

/** A site that keeps nobody out is for everybody. */
const reachOf = ({access}: Site): Reach => (access.length === 0 ? 'everybody' : 'inside');

/** The whole of what Groundwork tells nginx, in one file, so that it is tested and replaced in one piece. */
export const nginxConfiguration = (
  deployment: Deployment,
  host: Pick<HostSpec, 'roles' | 'privateAddress'>,
  facts: Facts,
  system: Pick<OsData, 'nginx'>,
  certificates: readonly ProxyCertificate[],
): string => {
  const where = (reach: Reach): Where => ({reach, host, facts});
  const servers = serversOf(deployment, certificates);
  const all = [...new Set(servers.flatMap(({names}) => names))];
  const http2 = system.nginx.http2;
  const nameLine = (names: readonly string[]): string => `server_name ${names.map(word).join(' ')};`;
  return managedFile(
    '',
    roomForNames(all),
    '# Keeps connections to the platform open, except those that become a web socket.',
    block('map $http_upgrade $groundwork_connection', 'default upgrade;', "'' '';"),
    '',
    block(
      'upstream groundwork_platform',
      hostsPlaying(deployment, roles.compute).map(
        ({privateAddress}) => `server ${word(privateAddress)}:${gatewayPorts.http.nodePort};`,
      ),
      'keepalive 32;',
    ),
    '',
    defaultServers(where(isPublic(deployment) ? 'everybody' : 'inside'), system),
    (['inside', 'everybody'] as const).flatMap(reach => {
      const names = servers.filter(({site}) => reachOf(site) === reach).flatMap(server => server.names);
      if (names.length === 0) return [];
      return [
        '',
        ...block(
          'server',
          listenLines(80, '', where(reach)),
          nameLine([...new Set(names)]),
          'server_tokens off;',
          'return 301 https://$host$request_uri;',
        ),
      ];
    }),
    servers.flatMap(({names, site, certificate}) => [
      '',
      ...block(
        'server',
        listenLines(443, http2 === 'listen' ? ' ssl http2' : ' ssl', where(reachOf(site))),
        http2 === 'directive' ? ['http2 on;'] : [],
        nameLine(names),
        'server_tokens off;',
        `ssl_certificate ${certificate.certificate};`,
        `ssl_certificate_key ${certificate.key};`,
        tls,
        `client_max_body_size ${word(deployment.components.nginx.maxBodyMb)}m;`,
        'client_body_timeout 300s;',
        'send_timeout 300s;',
        site.access,
        '',
        pages,
        '',
        platform(site.silentSeconds),
      ),
    ]),
  );
};
