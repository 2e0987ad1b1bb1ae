import {parse} from 'tldts';
import {isDomainName} from '../../network/names.ts';
import {environmentDomain, hostnameOf, isDirectlyBelow, moduleNeeds, serviceNames} from '../environments.ts';
import {error, type Rule, repeated, warning} from './rule.ts';

/** RFC 6761 and 7686: resolvers answer these themselves, so that no record of ours would ever be seen. */
const neverResolved: readonly string[] = ['localhost', 'invalid', 'onion'];

/** Set aside for names that stay at home: RFC 6761, RFC 8375 and ICANN's resolution of 2024 about `.internal`. */
const keptForPrivateUse: readonly string[] = ['test', 'internal', 'home.arpa'];

const problemsOfDomain = (path: string, domain: string, isOurs: boolean) => {
  const {publicSuffix, isIcann, domain: registrable} = parse(domain, {allowPrivateDomains: false});
  const top = domain.split('.').at(-1) ?? '';
  if (keptForPrivateUse.some(suffix => domain.endsWith(`.${suffix}`))) return [];
  if (registrable === null) {
    return [error(path, `"${domain}" is a public suffix, under which names are sold; use a name below it`)];
  }
  if (neverResolved.includes(top))
    return [error(path, `names below ".${top}" are never looked up; use .test or .internal`)];
  if (top === 'local') {
    return [
      warning(path, 'names below ".local" belong to mDNS: many laptops will not ask a DNS server for them; use .test'),
    ];
  }
  if (!isIcann) {
    return [
      warning(path, `".${publicSuffix}" is set aside for nobody and may be sold one day; use .test or .internal`),
    ];
  }
  if (!isOurs) return [];
  return [
    warning(
      path,
      `our DNS server will answer for all of ${domain}: whoever uses it no longer sees that domain's public records`,
    ),
  ];
};

export const domainUsable: Rule = ({domain, components: {dns}}) =>
  isDomainName(domain) ? problemsOfDomain('domain', domain, dns.server === 'own') : [];

/** Namespaces that Kubernetes, Rancher, Istio and the platform's own charts keep for themselves. */
const reservedNamespaces =
  /^(default|kube|kube-.*|cattle|cattle-.*|fleet-.*|grafana|istio|istio-.*|rancher|rancher-.*|local|observability|openg2p-system)$/;

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

/**
 * One authority and one DNS zone serve the deployment, so every environment lies below its domain, and beside the
 * others: below another one, its names would be that one's too.
 */
export const environmentDomains: Rule = deployment => {
  const {domain, environments} = deployment;
  const domains = environments.map(environment => environmentDomain(deployment, environment));
  // What was not written down is wrong where the name is.
  const pathAt = (index: number) =>
    `environments[${index}].${environments[index]?.domain === undefined ? 'name' : 'domain'}`;
  return [
    ...repeated(
      domains.map((key, index) => ({path: pathAt(index), key})),
      (name, earlier) => `"${name}" is the domain of ${earlier.replace(/\.(name|domain)$/, '')} already`,
    ),
    ...domains.flatMap((own, index) => {
      if (!isDomainName(own) || !isDomainName(domain)) return [];
      if (!own.endsWith(`.${domain}`)) {
        return [error(pathAt(index), `must lie below ${domain}, like ${environments[index]?.name}.${domain}`)];
      }
      if (platformNames(domain).includes(own)) return [error(pathAt(index), `"${own}" is a name of the platform`)];
      const above = domains.findIndex((other, at) => at !== index && own.endsWith(`.${other}`));
      return above < 0 ? [] : [error(pathAt(index), `lies below ${domains[above]}, which is environments[${above}]`)];
    }),
  ];
};

/** Names directly below the deployment's domain that the platform itself is found at. */
const platformNames = (domain: string): readonly string[] => [`rancher.${domain}`, `grafana.${domain}`];

/** The proxy's certificate and the DNS have wildcards, which stand for one label; and one name leads to one service. */
export const environmentHostnames: Rule = deployment => {
  const {domain, environments} = deployment;
  const overrides = environments.flatMap((environment, index) =>
    Object.entries(environment.hostnames).flatMap(([service, name]) =>
      name === undefined ? [] : [{path: `environments[${index}].hostnames.${service}`, name, service, environment}],
    ),
  );
  const usual = environments.flatMap(environment =>
    serviceNames
      .filter(service => environment.hostnames[service] === undefined)
      .map(service => hostnameOf(deployment, environment, service)),
  );
  return [
    ...repeated(
      overrides.map(({path, name}) => ({path, key: name})),
      (name, earlier) => `"${name}" is ${earlier} already`,
    ),
    ...overrides.flatMap(({path, name, environment}) => {
      const own = environmentDomain(deployment, environment);
      if (!isDirectlyBelow(name, own) && !isDirectlyBelow(name, domain)) {
        return [error(path, `must be one label below ${own} or ${domain}: no certificate of ours covers ${name}`)];
      }
      const domains = environments.map(other => environmentDomain(deployment, other));
      if (platformNames(domain).includes(name) || domains.includes(name)) {
        return [error(path, `"${name}" is a name of the platform or the domain of an environment`)];
      }
      return usual.includes(name) ? [error(path, `"${name}" is the usual name of another service`)] : [];
    }),
  ];
};

export const environmentModules: Rule = ({environments}) =>
  environments.flatMap(({modules}, index) =>
    modules.flatMap((id, at) => {
      const path = `environments[${index}].modules[${at}]`;
      if (modules.indexOf(id) !== at) return [error(path, `"${id}" is there twice`)];
      return moduleNeeds[id]
        .filter(needed => !modules.includes(needed))
        .map(needed => error(path, `"${id}" works with "${needed}": add it to the modules`));
    }),
  );
