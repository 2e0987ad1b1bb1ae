import {dirname} from 'node:path';
import {addressesOf} from '../../steps/environment/login-sheet.ts';
import {grafanaPassword} from '../../steps/monitoring/objects.ts';
import {passwordSecret} from '../../steps/rancher/objects.ts';
import {hasOwnDns} from '../../steps/shared/deployment.ts';
import {grafanaName, rancherName} from '../../steps/shared/platform.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {Services} from './services.ts';

type Door = {
  readonly title: string;
  readonly url: string;
  readonly user: string;
  /** Of its first password, in the vault. */
  readonly secret: string;
};

/** What of the platform one logs in to. */
const doorsOf = (deployment: Deployment): readonly Door[] => {
  const {kubernetes} = deployment.components;
  return [
    ...(kubernetes?.rancher.enabled
      ? [{title: 'Rancher', url: `https://${rancherName(deployment)}`, user: 'admin', secret: passwordSecret}]
      : []),
    ...(kubernetes?.monitoring.enabled
      ? [{title: 'Grafana', url: `https://${grafanaName(deployment)}`, user: 'admin', secret: grafanaPassword}]
      : []),
  ];
};

/** Environments that are installed: without a cluster none is. */
const environmentsOf = ({components, environments}: Deployment): Deployment['environments'] =>
  components.kubernetes ? environments : [];

/** Where to go first: a line for the platform, and one for each environment. Empty without a platform. */
export const entranceLines = (deployment: Deployment): readonly string[] => [
  ...doorsOf(deployment)
    .slice(0, 1)
    .map(({title, url}) => `${title.padEnd(15)}${url}`),
  ...environmentsOf(deployment).map(
    environment => `${environment.name.padEnd(15)}${addressesOf(deployment, environment)[0]?.url ?? ''}`,
  ),
];

/**
 * All addresses, with who logs in first and where the password for that is. No password is among these lines: they stay
 * in the scrollback.
 */
export const accessLines = (
  services: Pick<Services, 'practice' | 'folderOf'>,
  deployment: Deployment,
): readonly string[] => {
  const doors = doorsOf(deployment);
  const environments = environmentsOf(deployment);
  if (doors.length === 0 && environments.length === 0) return [];
  const folder = services.folderOf(deployment.name);
  return [
    services.practice
      ? 'On real machines these are reached through the VPN (see Connect a device); practice hosts serve no pages.'
      : `They are reached through the VPN (see Connect a device), or from ${deployment.network.privateSubnet}${hasOwnDns(deployment) ? ` with ${deployment.domain} asked from its DNS server` : ', by the records in the DNS of the site'}. Trust the CA first (see Trust its certificates).`,
    ...doors.flatMap(({title, url, user, secret}) => [
      '',
      `${title.padEnd(10)} ${url}`,
      `           user ${user}; the first password is printed by:`,
      `           groundwork secrets show ${deployment.name} ${secret}`,
    ]),
    ...environments.flatMap(environment => [
      '',
      `Environment ${environment.name}`,
      ...addressesOf(deployment, environment).map(({title, url}) => `  ${title.padEnd(14)} ${url}`),
      `  First logins   environments/${environment.name}.txt`,
    ]),
    ...(environments.length > 0 ? ['', 'Files of first logins are in', `  ${folder}`] : []),
    // Practice keeps its deployments apart from the real ones, so that neither is taken for the other.
    ...(services.practice
      ? [
          '',
          'For the commands, say first where practice keeps its files:',
          `  export GROUNDWORK_HOME=${dirname(dirname(folder))}`,
        ]
      : []),
  ];
};
