import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {isIpv6} from '../../source/network/address.ts';
import {command} from '../../source/resources/command.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sh} from '../../source/shell/script.ts';
import {word} from '../shared/config-text.ts';
import {isPublic, roles} from '../shared/deployment.ts';

/** Who is to meet a server: those inside, or everybody. */
export type Reach = 'inside' | 'everybody';

type Proxy = Pick<HostSpec, 'roles' | 'privateAddress'>;

/**
 * A proxy on a machine of its own stands at the edge, and has addresses on both sides: what is for those inside is bound to
 * the private one. A machine that is everything at once has one address for all, which may move without breaking anything.
 */
const bindsPrivately = (host: Proxy): boolean => !host.roles.includes(roles.compute);

const everywhere = (facts: Pick<Facts, 'kernelFeatures'>): readonly string[] => [
  '',
  ...(facts.kernelFeatures.ipv6 ? ['[::]:'] : []),
];

const privately = ({privateAddress}: Proxy): string =>
  isIpv6(privateAddress) ? `[${word(privateAddress)}]:` : `${word(privateAddress)}:`;

/**
 * Where a server listens, as nginx writes it before the port. One for everybody is named at the private address too: nginx
 * chooses by the address first, and knows there only what is named there.
 */
const places = (reach: Reach, host: Proxy, facts: Pick<Facts, 'kernelFeatures'>): readonly string[] => {
  if (!bindsPrivately(host)) return everywhere(facts);
  return reach === 'inside' ? [privately(host)] : [privately(host), ...everywhere(facts)];
};

/** `listen` lines of a server. */
export const listenLines = (
  port: number,
  options: string,
  {reach, host, facts}: {readonly reach: Reach; readonly host: Proxy; readonly facts: Pick<Facts, 'kernelFeatures'>},
): readonly string[] => places(reach, host, facts).map(place => `listen ${place}${port}${options};`);

/** Sockets that nginx then has, as ss prints them: one for all addresses stands for the private one too. */
const sockets = (deployment: Deployment, host: Proxy, facts: Pick<Facts, 'kernelFeatures'>): readonly string[] => {
  const reach = isPublic(deployment) ? 'everybody' : 'inside';
  const all = places(reach, host, facts);
  const bound = all.includes('') ? all.filter(place => place !== privately(host)) : all;
  return [80, 443].flatMap(port => bound.map(place => `${place === '' ? '0.0.0.0:' : place}${port}`));
};

const listed = sh`ss -Hltnp | grep -F '"nginx"' | awk '{for (i = 1; i <= NF; i++) if ($i ~ /:(80|443)$/) {print $i; break}}' | sort -u | xargs`;

/** The sockets of nginx, and those that it should have, in the same order. */
export const listening = (deployment: Deployment, host: Proxy, facts: Pick<Facts, 'kernelFeatures'>) => ({
  expected: [...new Set(sockets(deployment, host, facts))].toSorted().join(' '),
  script: sh`LC_ALL=C; export LC_ALL; ${listed}`,
});

/**
 * A reload cannot exchange a socket for all addresses for one of a single address: the old one is still open when the new one is
 * bound, nginx says so in its log and goes on as before. Connections are cut only where that has happened.
 */
export const listensAsWritten = (
  deployment: Deployment,
  host: Proxy,
  facts: Pick<Facts, 'kernelFeatures'>,
): Resource => {
  const {expected, script} = listening(deployment, host, facts);
  return command({
    id: 'nginx listening addresses',
    doing: 'starting nginx anew, because its addresses have moved',
    unless: sh`[ "$(${script})" = ${expected} ]`,
    script: sh`nginx -t -q && systemctl restart nginx.service`,
    change: `listen at ${expected.split(' ').join(', ')}`,
  });
};
