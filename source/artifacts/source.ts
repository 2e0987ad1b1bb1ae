import type {ArtifactSource, Deployment, OutboundProxy} from '../deployment/schema.ts';

/**
 * `https://host/path` of a publisher as it is reached from here: below the mirror at `host/path`, when there is one. A
 * mirror whose indexes were rewritten names itself; that stays.
 */
export const addressFrom = (source: ArtifactSource, address: string): string =>
  source.source !== 'mirror' || address.startsWith(`${source.address}/`)
    ? address
    : `${source.address}/${address.replace(/^https?:\/\//, '')}`;

/** The file of an address in a folder that was filled by `groundwork artifacts pull`: the layout of a mirror. */
export const placeOf = (address: string): string => {
  const {host, pathname} = new URL(address);
  return [host, ...pathname.split('/').slice(1).map(decodeURIComponent)].join('/');
};

/** The way out of the site for whatever the hosts download, the images of containers included. */
export const proxyOf = ({artifacts}: Pick<Deployment, 'artifacts'>): OutboundProxy | undefined => artifacts.proxy;
