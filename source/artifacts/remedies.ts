import type {Remedy} from '../engine/step.ts';

/** What goes wrong with downloads, by what the download itself or curl says. */
export const artifactRemedies: readonly Remedy[] = [
  {
    id: 'artifact-checksum',
    match: /wrong checksum/i,
    cause:
      'What that address serves is not the published file: a broken copy on the mirror, a proxy that answers with a page of its own, or somebody who changed it.',
    remedy:
      'Fetch the file anew on the mirror and compare its sha256 with the publisher’s. Do not go on with the file as it is.',
  },
  {
    id: 'artifact-chart-missing',
    match: /does not list|gives no digest/i,
    cause: 'The chart repository does not have this version: it was taken away, or the mirror is older than it.',
    remedy: 'Bring the mirror up to date, or choose another set of versions in Components, then retry.',
  },
  {
    id: 'artifact-no-checksum',
    match: /has no sha256 of/i,
    cause: 'The file of checksums does not name this file: the mirror mixes two releases.',
    remedy: 'Copy the file of checksums of the same release to the mirror, then retry.',
  },
  {
    id: 'artifact-missing',
    match: /is not there \(the server says 4/i,
    cause: 'The server does not have the file: the mirror was not filled for these versions, or the release is gone.',
    remedy:
      'Fill the mirror with `groundwork artifacts pull --to DIR` (its layout is a mirror’s), or choose other versions in Components.',
  },
  {
    id: 'artifact-carried',
    match: /was not carried in|is cut short: \//i,
    cause: 'The folder that was carried in does not hold what this deployment needs.',
    remedy:
      'Where there is internet, run `groundwork artifacts pull --deployment FILE --to DIR` again: it fetches only what is missing. `groundwork artifacts check DIR` proves the folder.',
  },
  {
    id: 'artifact-truncated',
    match: /the file there is cut short|transfer closed with|end of response with \d+ bytes missing|: aborted$/im,
    cause:
      'The server ends before the file does: the copy on it is not whole, or something on the way cuts long answers.',
    remedy: 'Compare the size of the file on the server with the publisher’s. What came so far is kept; retry goes on.',
    transient: true,
  },
  {
    id: 'artifact-slow',
    match: /operation too slow|less than \d+ bytes\/sec/i,
    cause: 'The link is up, but for a minute next to nothing came over it.',
    remedy:
      'What came so far is kept, and retry goes on from there. If it stays, use a mirror inside the site or carry the files in (--artifacts DIR).',
    transient: true,
  },
  {
    id: 'artifact-proxy-login',
    match: /the proxy wants a login|proxy after connect|connect tunnel failed/i,
    cause: 'The proxy does not let the host through: it wants a login, or forbids the address.',
    remedy:
      'Have the proxy allow the hosts to reach the addresses of `groundwork artifacts list` without a login, or use a mirror or a folder that is carried in.',
  },
  {
    id: 'artifact-refused',
    match: /is refused \(the server says 40[13]/i,
    cause: 'The server or a proxy forbids the file.',
    remedy: 'Open it on the server or the proxy for the hosts, or use a mirror or a folder that is carried in.',
  },
  {
    id: 'artifact-no-proxy',
    match: /could not resolve proxy|proxy.*(refused|unreachable)/i,
    cause: 'The proxy that the deployment names is not there.',
    remedy: 'Correct artifacts.proxy in the deployment.',
  },
  {
    id: 'artifact-certificate',
    match: /ssl certificate problem|certificate verify failed|unable to get local issuer/i,
    cause:
      'The certificate of the server is not trusted by the host: a proxy that opens TLS, a mirror with a certificate of the site, or a wrong clock.',
    remedy:
      'Put the authority’s certificate into /usr/local/share/ca-certificates of the host and run update-ca-certificates; compare `date` with the right time.',
  },
  {
    id: 'artifact-no-route',
    match:
      /cannot be had: curl: \((6|7|28|35)\)|could not resolve host|failed to connect|couldn't connect|connection timed out|getaddrinfo|ECONN(REFUSED|RESET|ABORTED)|ETIMEDOUT|E(HOST|NET)UNREACH/i,
    cause: 'There is no way to the server: no internet, a firewall in between, or a proxy that is not set.',
    remedy:
      'Set artifacts.proxy in the deployment if the site has a proxy; otherwise use a mirror inside the site, or carry the files in: `groundwork artifacts pull --to DIR` elsewhere, then --artifacts DIR.',
    transient: true,
  },
  {
    id: 'artifact-busy',
    match: /cannot be had now \(the server says/i,
    cause: 'The server is busy or broken at this moment.',
    remedy: 'Wait some minutes, then retry: what came so far is kept.',
    transient: true,
  },
  {
    id: 'artifact-disk',
    match: /not enough free space for|failure writing output|no space left on device/i,
    cause: 'The disk of the host that holds /var/lib/groundwork is too full for the file.',
    remedy:
      'Make room there (`df -h /var/lib`, `journalctl --vacuum-size=200M`, `apt-get clean`) or enlarge it, then retry.',
  },
];
