import {parse} from 'tldts';
import {isDomainName} from '../../network/names.ts';
import {error, type Rule, repeated, warning} from './rule.ts';

/** RFC 6761 and 7686: resolvers answer these themselves, so that no record of ours would ever be seen. */
const neverResolved: readonly string[] = ['localhost', 'invalid', 'onion'];

/** Set aside for names that stay at home: RFC 6761, RFC 8375 and ICANN's resolution of 2024 about `.internal`. */
const keptForPrivateUse: readonly string[] = ['test', 'internal', 'home.arpa'];

const problemsOfDomain = (path: string, domain: string) => {
  const {publicSuffix, isIcann, domain: registrable} = parse(domain, {allowPrivateDomains: false});
  const top = domain.split('.').at(-1) ?? '';
  if (keptForPrivateUse.some(suffix => domain.endsWith(`.${suffix}`))) return [];
  if (registrable === null) {
    return [error(path, `"${domain}" is a public suffix, under which names are sold; use a name below it`)];
  }
  if (neverResolved.includes(top))
    return [error(path, `names below ".${top}" are never looked up; use .test or .internal`)];
  if (top === 'local') {
    return [warning(path, 'names below ".local" belong to mDNS: many laptops will not ask our DNS server; use .test')];
  }
  if (!isIcann) {
    return [
      warning(path, `".${publicSuffix}" is set aside for nobody and may be sold one day; use .test or .internal`),
    ];
  }
  return [
    warning(
      path,
      `our DNS server will answer for all of ${domain}: whoever uses it no longer sees that domain's public records`,
    ),
  ];
};

export const domainUsable: Rule = ({domain}) => (isDomainName(domain) ? problemsOfDomain('domain', domain) : []);

/** Namespaces that Kubernetes, Rancher, Istio and the platform's own charts keep for themselves. */
const reservedNamespaces =
  /^(default|kube|kube-.*|cattle|cattle-.*|fleet-.*|istio|istio-.*|rancher|rancher-.*|local|observability|openg2p-system)$/;

export const environmentNames: Rule = ({environments}) => [
  ...repeated(
    environments.map(({name}, index) => ({path: `environments[${index}].name`, key: name})),
    (name, earlier) => `"${name}" is the name of ${earlier.replace('.name', '')} already`,
  ),
  ...environments.flatMap(({name}, index) =>
    reservedNamespaces.test(name)
      ? [error(`environments[${index}].name`, `"${name}" is a namespace that the cluster keeps for itself`)]
      : [],
  ),
];

/** One authority and one DNS zone serve the deployment, so every environment lies below its domain. */
export const environmentDomains: Rule = ({domain, environments}) => [
  ...repeated(
    environments.map((environment, index) => ({path: `environments[${index}].domain`, key: environment.domain})),
    (name, earlier) => `"${name}" is the domain of ${earlier.replace('.domain', '')} already`,
  ),
  ...environments.flatMap((environment, index) =>
    isDomainName(environment.domain) && isDomainName(domain) && !environment.domain.endsWith(`.${domain}`)
      ? [error(`environments[${index}].domain`, `must lie below ${domain}, like ${environment.name}.${domain}`)]
      : [],
  ),
];
