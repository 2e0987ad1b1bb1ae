import {AsnConvert} from '@peculiar/asn1-schema';
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509';
import {type Cidr, contains, isIpv6, parseAddress, parseCidr} from '../network/address.ts';

/** What an authority may issue for: these domains with everything below them, and addresses of these subnets. */
export type Permitted = {readonly domains: readonly string[]; readonly subnets: readonly Cidr[]};

const allAddresses: readonly Cidr[] = ['0.0.0.0/0', '::/0'];

/** Left out when empty: the standard wants at least one entry in a list that is there. */
const subtrees = (names: readonly GeneralName[]): GeneralSubtrees | undefined =>
  names.length > 0 ? new GeneralSubtrees(names.map(base => new GeneralSubtree({base}))) : undefined;

/**
 * The name constraints of RFC 5280 §4.2.1.10 in DER. A kind of name that is not mentioned is not constrained at all,
 * so a family of addresses without a permitted subnet is excluded as a whole.
 */
export const nameConstraintsOf = ({domains, subnets}: Permitted): ArrayBuffer => {
  const permitted = [
    ...domains.map(domain => new GeneralName({dNSName: domain})),
    ...subnets.map(subnet => new GeneralName({iPAddress: subnet})),
  ];
  const excluded = allAddresses
    .filter(all => !subnets.some(subnet => isIpv6(subnet) === isIpv6(all)))
    .map(all => new GeneralName({iPAddress: all}));
  return AsnConvert.serialize(
    new NameConstraints({
      permittedSubtrees: subtrees(permitted),
      excludedSubtrees: subtrees(excluded),
    }),
  );
};

export const nameConstraintsId = id_ce_nameConstraints;

/** Reads name constraints that `nameConstraintsOf` wrote; throws on anything that is not DER of that kind. */
export const permittedBy = (der: ArrayBuffer): Permitted => {
  const bases = (AsnConvert.parse(der, NameConstraints).permittedSubtrees ?? []).map(subtree => subtree.base);
  return {
    domains: bases.flatMap(base => base.dNSName ?? []),
    subnets: bases.flatMap(base => {
      const subnet = base.iPAddress === undefined ? undefined : parseCidr(base.iPAddress);
      return subnet?.ok ? [subnet.value] : [];
    }),
  };
};

/** Whether a name of a certificate (a domain name, `*.` and a domain name, an address) is permitted. */
export const permits = ({domains, subnets}: Permitted, name: string): boolean => {
  const address = parseAddress(name);
  if (address.ok) return subnets.some(subnet => contains(subnet, address.value));
  const bare = name.replace(/^\*\./, '');
  return domains.some(domain => bare === domain || bare.endsWith(`.${domain}`));
};
