import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {isHostReference} from '../../source/network/names.ts';
import {word} from '../shared/config-text.ts';

/**
 * Lines of /etc/hosts: every machine of the deployment by name, and this one by its own host name too, so that
 * `sudo` and others stop complaining that they cannot resolve it. Works without any DNS.
 */
export const hostsLines = (deployment: Deployment, host: HostSpec, facts: Pick<Facts, 'hostname'>): readonly string[] =>
  deployment.hosts.map(({name, privateAddress}) => {
    // The host name comes from the host: it may be anything.
    const own = name === host.name && facts.hostname !== name && isHostReference(facts.hostname);
    return [privateAddress, name, ...(own ? [facts.hostname.toLowerCase()] : [])].map(word).join(' ');
  });
