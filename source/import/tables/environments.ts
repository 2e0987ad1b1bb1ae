import {isDomainName} from '../../network/names.ts';
import {
  changed,
  type Look,
  left,
  leftOut,
  lowerCase,
  type Reading,
  type Row,
  type Table,
  taken,
  text,
} from '../reading.ts';
import {isTrue} from '../settings-file.ts';
import {domainOfRancher} from './network.ts';

const fresh = (name: string) => ({name, modules: [], hostnames: {}, members: []});

/** Part of names of databases and users: letters and digits only. */
const nameOf = (value: string): string =>
  value
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 20);

const named = (value: string, place: number): Reading => {
  const name = nameOf(value);
  if (!/^[a-z]/.test(name)) return {outcome: 'wrong', note: `"${value}" is no name of letters and digits`};
  const sets = {[`environments[${place}]`]: fresh(name)};
  return name === value ? taken(sets) : changed(`becomes ${name}: letters and digits only`, sets);
};

const domainOf = (look: Look): string | undefined =>
  look.of('public_domain') ??
  look.of('local_domain') ??
  look.of('domain') ??
  domainOfRancher(look.of('rancher_hostname'));

/** One DNS zone and one authority serve the deployment: an environment lies below its domain. */
const environmentDomain = (value: string, place: number, name: string, look: Look): Reading => {
  const domain = domainOf(look);
  const own = value.toLowerCase();
  if (domain === undefined || (own.endsWith(`.${domain}`) && isDomainName(own))) {
    return taken({[`environments[${place}].domain`]: own});
  }
  return changed(
    own === domain
      ? `is the domain of the platform; the environment lies below it, at ${nameOf(name)}.${domain}`
      : `does not lie below ${domain}, where the environment is put: ${nameOf(name)}.${domain}`,
  );
};

/** Services whose host name can be another one, by the name that `prod-config.yaml` has for it. */
const hostnames = {
  kafka_hostname: 'kafka',
  minio_hostname: 'minio',
  superset_hostname: 'superset',
  odk_hostname: 'odk',
  iam_hostname: 'iam',
  staff_portal_hostname: 'staffPortal',
  staff_portal_api_hostname: 'staffPortalApi',
} as const;

const releases = left('versions are those that go together with the rest (components.kubernetes.versions)');

/** Settings of an environment that is not wanted are of no use. */
const ifWanted =
  (row: Row): Row =>
  (value, look) =>
    isTrue(look.of('install_environment'))
      ? row(value, look)
      : leftOut('install_environment is not true, so there is no environment; add one under Environments');

const commons: Row = value =>
  isTrue(value)
    ? taken({}, 'comes with every environment')
    : changed('comes with every environment; remove the environment if you want none of it');

/** Without a domain of its own, the scripts put an environment's services directly below the platform's. */
const productionName: Row = (value, look) => {
  const reading = named(value, 0);
  const domain = domainOf(look);
  if (!('sets' in reading) || domain === undefined || look.of('environment.base_domain') !== undefined) return reading;
  const note = `its services lie below ${nameOf(value)}.${domain}, and not beside the platform's`;
  return changed(reading.note === undefined ? note : `${reading.note}; ${note}`, reading.sets);
};

/** The environment in `prod-config.yaml`. */
export const productionEnvironment: Table = {
  install_environment: (value, look) =>
    isTrue(value)
      ? taken(look.of('environment.name') === undefined ? {'environments[0]': fresh('prod')} : {})
      : taken({}, 'no environment is taken over'),
  ...Object.fromEntries(
    Object.entries({
      'environment.name': productionName,
      'environment.base_domain': ((value, look) =>
        environmentDomain(value, 0, look.of('environment.name') ?? 'prod', look)) satisfies Row,
      'environment.install_commons': commons,
      'environment.commons_version': releases,
      'environment.admin_email': text('environments[0].adminEmail'),
      ...Object.fromEntries(
        Object.entries(hostnames).map(([key, service]) => [
          `environment.${key}`,
          lowerCase(`environments[0].hostnames.${service}`),
        ]),
      ),
    } satisfies Table).map(([key, row]) => [key, ifWanted(row)]),
  ),
};

const charts = (group: string): Table =>
  Object.fromEntries(
    ['chart_name', 'chart_path', 'chart_repo', 'chart_version', 'extra_helm_args'].map(key => [
      `${group}.${key}`,
      key === 'extra_helm_args'
        ? left('charts get their values from Groundwork; further ones cannot be given')
        : releases,
    ]),
  );

/** What a file says about another one that belongs to it. */
export const otherFile =
  (kinds: readonly string[]): Row =>
  (value, {has}) =>
    kinds.some(has) ? taken({}, 'was read') : leftOut(`was not read: name it too, before this one: ${value}`);

const module =
  (id: string): Row =>
  value =>
    isTrue(value)
      ? leftOut(`the scripts only list it: add ${id} under Environments, with what it needs`)
      : taken({}, 'it is not wanted');

/** `env-config.yaml`, of the sandbox and of OpenG2P's folder `environment`: each file is one environment. */
export const environmentFile: Table = {
  environment: (value, {environment}) => named(value, environment),
  base_domain: (value, look) => environmentDomain(value, look.environment, look.of('environment') ?? '', look),
  admin_email: (value, look) => text(`environments[${look.environment}].adminEmail`)(value, look),
  infra_config: otherFile(['infra-config', 'single-node-config']),
  sandbox_config: otherFile(['infra-config', 'single-node-config']),
  ...charts('commons_base'),
  ...charts('commons_services'),
  'modules.commons': commons,
  'modules.registry': module('registry'),
  'modules.pbms': module('pbms'),
  'modules.spar': module('spar'),
  'modules.g2p_bridge': module('g2p-bridge'),
};

const listed = (look: Look): readonly string[] =>
  look
    .of('environments')
    ?.split(/[\s,]+/)
    .filter(Boolean) ?? [];

/** Environments of `deployment-plan.yaml`: a list of names, and a domain for each. */
export const plannedEnvironments: Table = {
  environments: (_, look) => {
    const readings = listed(look).map((name, place) => named(name, place));
    const wrong = readings.find(reading => reading.outcome === 'wrong');
    if (wrong) return wrong;
    const sets = Object.assign({}, ...readings.map(reading => ('sets' in reading ? reading.sets : {})));
    const notes = readings.flatMap((reading, place) =>
      reading.outcome === 'changed' ? [`${listed(look)[place]} ${reading.note}`] : [],
    );
    return notes.length > 0 ? changed(notes.join('; '), sets) : taken(sets);
  },
  'env_*_base_domain': (value, look) => {
    const place = listed(look).indexOf(look.star);
    return place === -1
      ? leftOut(`"${look.star}" is not among the environments`)
      : environmentDomain(value, place, look.star, look);
  },
};
