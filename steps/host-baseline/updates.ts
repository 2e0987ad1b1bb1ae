import type {Deployment} from '../../source/deployment/schema.ts';
import type {OsData} from '../../source/hosts/os-data.ts';
import {managedFile} from '../shared/config-text.ts';

/** After the distribution's own 20auto-upgrades and 50unattended-upgrades, so that it has the last word. */
export const updatesPath = '/etc/apt/apt.conf.d/60groundwork-updates';

/**
 * Security updates by themselves, nothing else, and never a restart of the machine by itself. apt adds up lists of all
 * its files, hence the `#clear`.
 */
export const updatesConfiguration = (
  wanted: Deployment['components']['automaticUpdates'],
  {automaticUpdates}: Pick<OsData, 'automaticUpdates'>,
): string => {
  const daily = wanted === 'security' ? '1' : '0';
  return managedFile(
    `APT::Periodic::Update-Package-Lists "${daily}";`,
    `APT::Periodic::Unattended-Upgrade "${daily}";`,
    '#clear Unattended-Upgrade::Allowed-Origins;',
    '#clear Unattended-Upgrade::Origins-Pattern;',
    'Unattended-Upgrade::Origins-Pattern {',
    automaticUpdates.securityOrigins.map(origin => `  "${origin}";`),
    '};',
    'Unattended-Upgrade::Automatic-Reboot "false";',
  );
};

export const needrestartPath = '/etc/needrestart/conf.d/groundwork.conf';

/** needrestart only lists what should be restarted: a database or a cluster node is restarted when its operator says. */
export const needrestartConfiguration = managedFile("$nrconf{restart} = 'l';", '$nrconf{kernelhints} = -1;', '1;');
