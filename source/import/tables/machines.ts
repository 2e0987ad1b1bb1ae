import {isAbsolute, join} from 'node:path';
import {labelFrom} from '../../hosts/host-list.ts';
import {changed, type Look, leftOut, type Reading, type Row, type Table, taken, text} from '../reading.ts';
import {isTrue} from '../settings-file.ts';

/** Where each machine of the smallest production is among the hosts of a deployment that is being read. */
export const places = {proxy: 0, compute: 1, storage: 2, backup: 3} as const;

/** A name that Groundwork can use too. */
export const label =
  (path: string, otherwise: string): Row =>
  value => {
    const name = labelFrom(value, otherwise);
    return name === value
      ? taken({[path]: name})
      : changed(`becomes ${name}: lower-case letters, digits and hyphens`, {[path]: name});
  };

/** The path of a key on this side, from where Groundwork is started. */
const keyPath = (value: string, {folder}: Pick<Look, 'folder'>): string =>
  isAbsolute(value) || value.startsWith('~') ? value : join(folder, value);

const key =
  (path: string): Row =>
  (value, look) => {
    const file = keyPath(value, look);
    return file === value ? taken({[path]: value}) : changed('is sought beside the file', {[path]: file});
  };

/** How a machine is reached; without an address of its own for that, its private one is dialled. */
const machine = (prefix: string, place: number): Table => ({
  [`${prefix}_ssh_host`]: text(`hosts[${place}].address`),
  [`${prefix}_ssh_user`]: text(`hosts[${place}].user`),
  [`${prefix}_ssh_key`]: key(`hosts[${place}].identityFile`),
  [`${prefix}_private_ip`]: (value, look) =>
    taken({
      [`hosts[${place}].privateAddress`]: value,
      ...(look.of(`${prefix}_ssh_host`) === undefined && {[`hosts[${place}].address`]: value}),
    }),
});

/** Dialled by the installer and by the VPN's peers, where nothing else is said for them. */
const publicAddress: Row = (value, look) => {
  const sets = {
    ...(look.of('rp_ssh_host') === undefined && {[`hosts[${places.proxy}].address`]: value}),
    ...(look.of('wg_endpoint') === undefined && {'channels[0].endpoint': value}),
  };
  return Object.keys(sets).length > 0
    ? taken(sets)
    : leftOut('rp_ssh_host and wg_endpoint say what is dialled; nothing else needs it');
};

const privateAddress: Row = (value, look) =>
  taken({
    [`hosts[${places.proxy}].privateAddress`]: value,
    ...(look.of('rp_ssh_host') === undefined &&
      look.of('rp_public_ip') === undefined && {[`hosts[${places.proxy}].address`]: value}),
  });

const jumpHost = (look: Look): Readonly<Record<string, unknown>> => {
  const identityFile = look.of('rp_ssh_key');
  return {
    address: look.of('rp_ssh_host') ?? look.of('rp_public_ip') ?? look.of('rp_private_ip') ?? '',
    port: 22,
    user: look.of('rp_ssh_user') ?? 'ubuntu',
    ...(identityFile !== undefined && {identityFile: keyPath(identityFile, look)}),
  };
};

const jumpThroughProxy = (value: string, look: Look): Reading => {
  if (!isTrue(value)) return taken({}, 'no jump host');
  const behind = [places.compute, places.storage, places.backup];
  return taken(
    Object.fromEntries(behind.map(place => [`hosts[${place}].jump`, jumpHost(look)])),
    'the other machines are reached through the reverse proxy',
  );
};

/** The machines of `prod-config.yaml`. */
export const productionMachines: Table = {
  ...machine('rp', places.proxy),
  rp_public_ip: publicAddress,
  rp_private_ip: privateAddress,
  rp_internal_ip: (value, look) =>
    look.of('rp_private_ip') === undefined
      ? privateAddress(value, look)
      : leftOut('is an older name of rp_private_ip, which is there too'),
  ...machine('compute', places.compute),
  compute_node_name: label(`hosts[${places.compute}].name`, 'compute-1'),
  ...machine('storage', places.storage),
  storage_node_name: label(`hosts[${places.storage}].name`, 'storage-1'),
  ssh_jump_via_rp: jumpThroughProxy,
};

/** The fourth machine, of `backup-config.yaml`. */
export const backupMachine: Table = machine('backup', places.backup);

/** The one machine of the sandbox. OpenG2P's older scripts run on it and do not say how it is reached. */
export const sandboxMachine: Table = {
  node_ip: (value, look) => {
    const dialled = look.of('ssh_host');
    const sets = {
      'hosts[0].privateAddress': value,
      ...(dialled === undefined && {'hosts[0].address': value}),
      ...(look.of('wireguard.endpoint') === undefined && {'channels[0].endpoint': value}),
    };
    return dialled === undefined
      ? changed(
          `is reached over SSH as ${look.of('ssh_user') ?? 'ubuntu'}; change that under Hosts, also if it is this machine`,
          sets,
        )
      : taken(sets);
  },
  node_name: label('hosts[0].name', 'sandbox-1'),
  ssh_host: text('hosts[0].address'),
  ssh_user: text('hosts[0].user'),
  ssh_key: key('hosts[0].identityFile'),
};
