import {contains, isHostAddress, parseAddress} from '../../network/address.ts';
import type {HostSpec} from '../schema.ts';
import {error, type Rule, repeated, validCidr, warning} from './rule.ts';

/** How a machine is reached, as one text: behind different jump hosts, the same address is a different machine. */
const wayTo = ({address, port, jump}: HostSpec): string =>
  address === '' ? '' : `${address}, port ${port}${jump ? ` through ${jump.address}` : ''}`;

/** No two hosts share a name, a way to reach them, or a private address. */
export const hostsDiffer: Rule = ({hosts}) => [
  ...repeated(
    hosts.map(({name}, index) => ({path: `hosts[${index}].name`, key: name})),
    (name, earlier) => `"${name}" is the name of ${earlier.replace('.name', '')} already`,
  ),
  ...repeated(
    hosts.map((host, index) => ({path: `hosts[${index}].address`, key: host.reach === 'ssh' ? wayTo(host) : ''})),
    (way, earlier) => `${way} is where ${earlier.replace('.address', '')} is reached already`,
  ),
  ...repeated(
    hosts.map(({privateAddress}, index) => ({path: `hosts[${index}].privateAddress`, key: privateAddress})),
    (address, earlier) => `${address} is the private address of ${earlier.replace('.privateAddress', '')} already`,
  ),
];

export const hostNames: Rule = ({hosts}) =>
  hosts.flatMap(({name}, index) =>
    name === 'localhost'
      ? [error(`hosts[${index}].name`, '"localhost" means every machine itself; give another name')]
      : [],
  );

/** Several entries for the machine that Groundwork runs on would be one machine. */
export const oneLocalHost: Rule = ({hosts}) =>
  hosts
    .map(({reach}, index) => ({reach, index}))
    .filter(({reach}) => reach === 'local')
    .slice(1)
    .map(({index}) => error(`hosts[${index}].reach`, 'only one host can be the machine that Groundwork runs on'));

export const jumpsElsewhere: Rule = ({hosts}) =>
  hosts.flatMap(({address, port, jump}, index) =>
    jump && jump.address === address && jump.port === port
      ? [error(`hosts[${index}].jump`, 'the jump host is the host itself')]
      : [],
  );

export const privateAddresses: Rule = ({hosts, network}) => {
  const subnet = validCidr(network.privateSubnet);
  if (!subnet) return [];
  return hosts.flatMap(({privateAddress}, index) => {
    const address = parseAddress(privateAddress);
    const path = `hosts[${index}].privateAddress`;
    if (!address.ok) return [];
    if (!contains(subnet, address.value))
      return [error(path, `${privateAddress} is not in the private subnet ${subnet}`)];
    return isHostAddress(subnet, address.value)
      ? []
      : [error(path, `${privateAddress} stands for the subnet ${subnet} as a whole, not for a host in it`)];
  });
};

/** Accepted checks are named `host:check`. */
export const acceptedChecksName: Rule = ({hosts, acceptedChecks}) =>
  acceptedChecks.flatMap((text, index) => {
    const [host = '', check = '', ...rest] = text.split(':');
    const path = `acceptedChecks[${index}]`;
    if (!host || !check || rest.length > 0) {
      return [error(path, `"${text}" must be a host and a check, like sandbox-1:memory`)];
    }
    return hosts.some(({name}) => name === host) ? [] : [warning(path, `there is no host "${host}"`)];
  });
