import {isDirectlyBelow} from '../../source/deployment/environments.ts';
import {covers} from '../../source/tls/coverage.ts';
import type {ProxyCertificate} from '../certificates/proxy.ts';

/** Names that are served alike. */
export type Site = {
  /** Names and wildcards. */
  readonly names: readonly string[];
  /** Those below the wildcards that clients ask for: each needs a certificate where the wildcard has none. */
  readonly clients: readonly string[];
  readonly access: readonly string[];
  readonly silentSeconds: number;
};

/** Names of a site that one certificate covers: a server of nginx. */
export type Server = {
  readonly site: Site;
  readonly names: readonly string[];
  readonly certificate: ProxyCertificate;
};

/**
 * The servers of nginx: each site once for every certificate that it takes to cover its names. Where no certificate has the
 * wildcard of a site, the names that clients ask for are served one by one. What no certificate covers is left out:
 * nginx then refuses it like any name that is not ours (whether that is bearable is decided before: see
 * certificateState).
 */
export const serversFor = (sites: readonly Site[], certificates: readonly ProxyCertificate[]): readonly Server[] => {
  const certificateFor = (name: string) => certificates.find(({names}) => covers(names, name));
  return sites.flatMap(site => {
    const wildcards = site.names.filter(name => name.startsWith('*.') && certificateFor(name));
    const apart = site.clients.filter(
      name => !site.names.includes(name) && !wildcards.some(wildcard => isDirectlyBelow(name, wildcard.slice(2))),
    );
    const names = [...site.names, ...apart];
    return certificates.flatMap((certificate): readonly Server[] => {
      const own = names.filter(name => certificateFor(name) === certificate);
      return own.length > 0 ? [{site, names: own, certificate}] : [];
    });
  });
};
