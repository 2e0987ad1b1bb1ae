import type {Blueprint} from '../blueprints/blueprint.ts';
import {type Problem, pathText, valueAt, wordsOf} from './problem.ts';
import {
  backupElsewhere,
  backupPathOwn,
  backupTellsSomebody,
  certificatesDiffer,
  exportPathOwn,
  renewalBeforeEnd,
  resolverWithinReach,
  upstreamsElsewhere,
  upstreamsUsed,
} from './rules/components.ts';
import {databaseOfOneEnvironment, databasePackages, databasePort} from './rules/databases.ts';
import {
  acceptedChecksName,
  hostNames,
  hostsDiffer,
  jumpsElsewhere,
  oneLocalHost,
  privateAddresses,
} from './rules/hosts.ts';
import {
  domainUsable,
  environmentDomains,
  environmentHostnames,
  environmentModules,
  environmentNames,
} from './rules/names.ts';
import {
  adminSourcesNarrow,
  blocksApart,
  blocksUsable,
  channelNames,
  endpointsElsewhere,
  peerAddresses,
  peersDiffer,
  publicAddressKnown,
  publicOnce,
  someWayIn,
  vpnPorts,
  vpnRoom,
} from './rules/network.ts';
import type {Rule} from './rules/rule.ts';
import {topologyFits} from './rules/topology.ts';
import {versionsTogether} from './rules/versions.ts';
import {type Deployment, deployment as schema} from './schema.ts';

const rules = (blueprints: readonly Blueprint[]): readonly Rule[] => [
  topologyFits(blueprints),
  hostsDiffer,
  hostNames,
  oneLocalHost,
  jumpsElsewhere,
  privateAddresses,
  domainUsable,
  renewalBeforeEnd,
  certificatesDiffer,
  channelNames,
  publicAddressKnown,
  publicOnce,
  someWayIn,
  vpnPorts,
  vpnRoom,
  peersDiffer,
  peerAddresses,
  endpointsElsewhere,
  blocksApart,
  blocksUsable,
  adminSourcesNarrow,
  exportPathOwn,
  backupPathOwn,
  backupElsewhere,
  backupTellsSomebody,
  databasePort,
  databasePackages,
  upstreamsElsewhere,
  upstreamsUsed,
  resolverWithinReach,
  environmentNames,
  environmentDomains,
  environmentHostnames,
  environmentModules,
  databaseOfOneEnvironment,
  versionsTogether,
  acceptedChecksName,
];

/** What is wrong with single fields, by the schema. */
const fieldProblems = (deployment: Deployment): readonly Problem[] => {
  const parsed = schema.safeParse(deployment);
  if (parsed.success) return [];
  return parsed.error.issues.map(issue => ({
    path: pathText(issue.path),
    message: wordsOf(issue, valueAt(deployment, issue.path)),
    severity: 'error',
  }));
};

/**
 * All that is wrong with a deployment, finished or not: field by field, then across fields. An installation may begin
 * when none of it is an error. `blueprints` are those that can be installed.
 */
export const problemsOf = (deployment: Deployment, blueprints: readonly Blueprint[]): readonly Problem[] => [
  ...fieldProblems(deployment),
  ...rules(blueprints).flatMap(rule => rule(deployment)),
];
