import type {GeneralSubtree, NameConstraints} from '@peculiar/asn1-x509';

/**
 * Whether a DNS name lies in a subtree (RFC 5280 §4.2.1.10): the domain itself and all below it; with a dot before it, as
 * some CAs write, what is below it only. A wildcard is compared as it stands.
 */
const within = (name: string, base: string): boolean => {
  const domain = base.toLowerCase();
  return domain === '' || name === domain || name.endsWith(domain.startsWith('.') ? domain : `.${domain}`);
};

const domainsOf = (subtrees: Iterable<GeneralSubtree> | undefined): readonly string[] =>
  [...(subtrees ?? [])].flatMap(({base}) => base.dNSName ?? []);

/** The names of a certificate for which an authority with these constraints may not vouch. */
export const namesOutside = (names: readonly string[], constraints: NameConstraints): readonly string[] => {
  const permitted = domainsOf(constraints.permittedSubtrees);
  const excluded = domainsOf(constraints.excludedSubtrees);
  return names.filter(
    name =>
      (permitted.length > 0 && !permitted.some(base => within(name, base))) ||
      excluded.some(base => within(name, base)),
  );
};
