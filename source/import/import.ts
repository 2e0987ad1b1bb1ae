import {dirname, resolve} from 'node:path';
import type {Blueprint, Topology} from '../blueprints/blueprint.ts';
import {type Problem, pathOf, valueAt} from '../deployment/problem.ts';
import {type Deployment, type HostSpec, deployment as schema} from '../deployment/schema.ts';
import {inShape} from '../deployment/shape.ts';
import {fromYaml, printProblem} from '../deployment/yaml.ts';
import {type Inventory, parseInventory} from '../hosts/inventories.ts';
import {contains, parseAddress, parseCidr, subnetOf} from '../network/address.ts';
import {err, ok, type Result} from '../result.ts';
import {applySettings, type Document, passedOver} from './apply.ts';
import {machinesFrom} from './inventory-machines.ts';
import type {Imported, ImportProblem, Item} from './item.ts';
import {kindOf, kinds} from './kinds.ts';
import {readSettings} from './settings-file.ts';
import {unreadable} from './text-file.ts';

/** A file that was named, with what is in it. */
export type ImportedFile = {readonly path: string; readonly text: string};

export type ImportOptions = {
  readonly blueprint: Blueprint;
  /** The answers that a new deployment of a topology begins with. */
  readonly begin: (topology: string) => Deployment;
  readonly problems: (deployment: Deployment) => readonly Problem[];
};

type Known =
  | {readonly kind: 'settings'; readonly document: Document}
  | {readonly kind: 'inventory'; readonly path: string; readonly inventory: Inventory}
  | {readonly kind: 'deployment'; readonly path: string; readonly deployment: Deployment};

/** A deployment of Groundwork says so in its first words, which no other file has together. */
const isDeployment = (text: string): boolean => /^version:/m.test(text) && /^blueprint:/m.test(text);

const recognise = ({path, text}: ImportedFile): Result<Known, string> => {
  const refused = unreadable(text);
  if (refused !== undefined) return err(`${path}${refused}`);
  if (isDeployment(text)) {
    const read = fromYaml(text);
    return read.ok
      ? ok({kind: 'deployment', path, deployment: read.value})
      : err([`${path} cannot be used:`, ...read.error.map(problem => `  ${printProblem(problem)}`)].join('\n'));
  }
  const inventory = parseInventory(text, path);
  if (inventory !== undefined) {
    return inventory.ok ? ok({kind: 'inventory', path, inventory: inventory.value}) : inventory;
  }
  const file = readSettings(text);
  const kind = kindOf(file);
  if (kind === undefined) {
    return err(
      `${path} is no file that can be imported: neither settings of OpenG2P’s scripts (${kinds.map(({id}) => id).join(', ')}), nor an Ansible inventory, nor a deployment of Groundwork`,
    );
  }
  return ok({kind: 'settings', document: {path, folder: dirname(resolve(path)), kind, file}});
};

/** What a file is about; what provisioning wrote is told by the machines in it. */
const topologyOfFile = ({kind, file}: Document): string | undefined => {
  if (kind.id !== 'provision-output') return kind.topology;
  const keys = file.settings.map(({key}) => key);
  if (keys.some(key => /^(rp|compute|storage|backup)_/.test(key))) return 'production-minimum';
  return keys.some(key => /^(node|ssh)_/.test(key)) ? 'sandbox' : undefined;
};

/** What the files are about together; the error says why they do not go together. */
const topologyOf = (documents: readonly Document[], inventories: readonly Inventory[]): Result<string, string> => {
  const told = new Set(documents.flatMap(document => topologyOfFile(document) ?? []));
  if (told.size > 1) {
    return err('these files are about different installations: one about a sandbox, one about a production');
  }
  const [topology] = told;
  if (topology !== undefined) return ok(topology);
  const hosts = inventories.flatMap(inventory => inventory.hosts);
  if (hosts.length > 0) return ok(hosts.length === 1 ? 'sandbox' : 'production-minimum');
  if (documents.some(({kind}) => kind.id === 'env-config')) return ok('sandbox');
  return err(documents.map(({path, kind}) => `${path}: ${kind.title}; nothing in it can be taken over`).join('\n'));
};

/** Every machine of the topology, to be filled in. */
const emptyHosts = ({machines}: Topology): readonly HostSpec[] =>
  machines.map(({id, roles}) => ({
    name: `${id}-1`,
    reach: 'ssh',
    address: '',
    port: 22,
    user: 'ubuntu',
    roles: [...roles],
    privateAddress: '',
  }));

/** Leaves the machines out that no file speaks of; settings keep pointing to those that remain. */
const withoutUnmentioned = (
  deployment: Deployment,
  items: readonly Item[],
): {readonly deployment: Deployment; readonly items: readonly Item[]} => {
  const places = deployment.hosts.flatMap((_, place) =>
    items.some(({paths}) => paths.some(path => path.startsWith(`hosts[${place}].`) && !path.endsWith('.jump')))
      ? [place]
      : [],
  );
  const moved = (path: string): string[] => {
    const [, place, rest = ''] = /^hosts\[(\d+)\](.*)$/.exec(path) ?? [];
    if (place === undefined) return [path];
    const now = places.indexOf(Number(place));
    return now === -1 ? [] : [`hosts[${now}]${rest}`];
  };
  return {
    deployment: {...deployment, hosts: places.flatMap(place => deployment.hosts[place] ?? [])},
    items: items.map(item => ({...item, paths: item.paths.flatMap(moved)})),
  };
};

/** The private subnet, where no file says it: one that the machines lie in. */
const withSubnet = (
  deployment: Deployment,
  items: readonly Item[],
): {readonly deployment: Deployment; readonly notes: readonly string[]} => {
  const {privateSubnet} = deployment.network;
  const address = deployment.hosts.map(host => parseAddress(host.privateAddress)).find(each => each.ok);
  const told = items.some(({paths}) => paths.includes('network.privateSubnet'));
  if (told || !address?.ok || (parseCidr(privateSubnet).ok && contains(privateSubnet, address.value)))
    return {deployment, notes: []};
  const assumed = subnetOf(address.value, address.value.includes(':') ? 64 : 24);
  return {
    deployment: {...deployment, network: {...deployment.network, privateSubnet: assumed}},
    notes: [`network.privateSubnet: no file says it; ${assumed} is assumed from ${address.value}`],
  };
};

/** What this version of Groundwork has no place for was not taken over, whatever its row says. */
const withPlaces = (items: readonly Item[], deployment: Deployment): readonly Item[] =>
  items.map(item => {
    const kept = item.paths.filter(path => valueAt(deployment, pathOf(path)) !== undefined);
    if (item.paths.length === 0 || kept.length > 0) return {...item, paths: kept};
    const {value: _, ...rest} = item;
    return {...rest, outcome: 'left', paths: [], note: 'there is no place for it yet'};
  });

/** Whether what is at one path is part of what is at the other. */
const isWithin = (path: string, outer: string): boolean =>
  path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);

/** The line that a problem comes from: of the setting that is nearest around it, or else the only one in it. */
const located = (problem: Problem, items: readonly Item[]): ImportProblem => {
  const around = items
    .flatMap(item => item.paths.filter(path => isWithin(problem.path, path)).map(path => ({item, path})))
    .toSorted((a, b) => b.path.length - a.path.length)[0]?.item;
  const inside = items.filter(({paths}) => paths.some(path => isWithin(path, problem.path)));
  const item = around ?? (inside.length === 1 ? inside[0] : undefined);
  return item ? {...problem, file: item.file, line: item.line} : problem;
};

/**
 * Makes a deployment of what people have: settings of OpenG2P's scripts, Ansible inventories, or a deployment that was
 * exported. Every line of the files is accounted for in `items`. The error says what cannot be read at all.
 */
export const importFiles = (
  files: readonly ImportedFile[],
  {blueprint, begin, problems}: ImportOptions,
): Result<Imported, string> => {
  const read = files.map(recognise);
  const refused = read.flatMap(each => (each.ok ? [] : [each.error]));
  if (refused.length > 0) return err(refused.join('\n'));
  const known = read.flatMap(each => (each.ok ? [each.value] : []));

  const whole = known.find(each => each.kind === 'deployment');
  if (whole !== undefined) {
    if (known.length > 1) return err(`${whole.path} is a deployment of Groundwork, which is imported alone`);
    return ok({
      deployment: whole.deployment,
      files: [{path: whole.path, kind: 'deployment', title: 'a deployment of Groundwork'}],
      items: [],
      notes: [],
      problems: problems(whole.deployment),
    });
  }

  const documents = known.flatMap(each => (each.kind === 'settings' ? [each.document] : []));
  const inventories = known.flatMap(each => (each.kind === 'inventory' ? [each] : []));
  const topologyId = topologyOf(
    documents,
    inventories.map(({inventory}) => inventory),
  );
  if (!topologyId.ok) return topologyId;
  const topology = blueprint.topologies.find(({id}) => id === topologyId.value);
  if (topology === undefined) return err(`${blueprint.title} has no topology "${topologyId.value}"`);

  const rank = ({kind}: Document): number => kinds.indexOf(kind);
  const inOrder = documents.toSorted((a, b) => rank(a) - rank(b));
  const shared = inOrder.filter(({kind}) => kind.id !== 'env-config');
  const has = (kind: string): boolean => documents.some(document => document.kind.id === kind);
  let applied = applySettings({...begin(topology.id), hosts: [...emptyHosts(topology)]}, shared, {has});
  let items = applied.items;
  for (const document of inOrder.filter(({kind}) => kind.id === 'env-config')) {
    applied = applySettings(applied.deployment, [document], {
      others: shared,
      environment: applied.deployment.environments.length,
      has,
    });
    items = [...items, ...applied.items];
  }
  let {deployment, items: told} = withoutUnmentioned(applied.deployment, items);
  for (const {path, inventory} of inventories) {
    const more = machinesFrom(inventory, path, topology, deployment.hosts);
    deployment = {...deployment, hosts: [...deployment.hosts, ...more.hosts]};
    told = [...told, ...more.items];
  }
  const {deployment: placed, notes} = withSubnet(deployment, told);
  const shaped = inShape(schema, placed) as Deployment;
  const named = files.map(({path}) => path);
  const all = [...withPlaces(told, shaped), ...documents.flatMap(passedOver)].toSorted(
    (a, b) => named.indexOf(a.file) - named.indexOf(b.file) || a.line - b.line,
  );
  return ok({
    deployment: shaped,
    files: known.map(each =>
      each.kind === 'settings'
        ? {path: each.document.path, kind: each.document.kind.id, title: each.document.kind.title}
        : {path: each.path, kind: 'inventory', title: 'an Ansible inventory'},
    ),
    items: all,
    notes,
    problems: problems(shaped).map(problem => located(problem, all)),
  });
};
