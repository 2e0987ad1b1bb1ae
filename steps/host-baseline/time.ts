import type {Deployment} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {isContainer} from '../../source/hosts/os-data.ts';
import {managedFile, word} from '../shared/config-text.ts';

/** Servers of time that somebody chose for this host; ours to leave alone. */
const others = /^(ntp|ntpd|ntpsec|openntpd|ntpd-rs)(\.service)?$/;

/**
 * Whether Groundwork keeps the clock right. Not in a container without chrony, whose clock is that of the machine
 * below, and not where another time server runs already.
 */
export const keepsTime = (facts: Pick<Facts, 'time' | 'virtualisation'>): boolean =>
  /^chronyd?(\.service)?$/.test(facts.time.service) || !(isContainer(facts) || others.test(facts.time.service));

export const timeSources = ({components}: Deployment): string =>
  managedFile(components.timeServers.map(server => `server ${word(server)} iburst`));
