import {left, secretLeft, type Table, taken, text} from '../reading.ts';
import {places} from './machines.ts';

const proxy = `hosts[${places.proxy}]`;

/** What `deployment-plan.yaml` says of the reverse proxy; the rest of it are environments. */
export const plan: Table = {
  organization: left('is printed on the hand-over checklist only'),
  nginx_node_ip: (value, look) =>
    taken({
      'channels[0].endpoint': value,
      [`${proxy}.address`]: value,
      ...(look.of('nginx_internal_ip') === undefined && {[`${proxy}.privateAddress`]: value}),
    }),
  nginx_internal_ip: text(`${proxy}.privateAddress`),
  cert_base_path: left('Groundwork keeps certificates where its nginx reads them'),
  ssh_user: text(`${proxy}.user`),
};

const notAdded = left('no topology takes a further machine yet');

/** `add-node-config.yaml`: a machine beside those that a deployment has. */
export const addedNode: Table = {
  server_url: notAdded,
  rke2_token: secretLeft('no topology takes a further machine yet'),
  rke2_version: notAdded,
  node_ip: notAdded,
  node_name: notAdded,
  node_role: notAdded,
  vpc_subnet: notAdded,
  wireguard_subnet: notAdded,
};

const cloud = left('Groundwork makes no machines: name the provision-output.yaml that came of it');

const ofMachine = ['instance_type', 'disk_gb', 'disk_iops', 'disk_throughput', 'name', 'sg_name'];

/** `aws-config.yaml`: from which OpenG2P's scripts make machines. What came of it is in `provision-output.yaml`. */
export const cloudMachines: Table = Object.fromEntries(
  [
    ...['project', 'region', 'vpc_id', 'subnet_id', 'admin_cidr', 'key_mode', 'key_name', 'key_path', 'ubuntu_ami'],
    ...['rp', 'compute', 'storage'].flatMap(machine => ofMachine.map(key => `${machine}_${key}`)),
    ...['wg_port', 'provision_output_file', 'backup_node.*'],
  ].map(key => [key, cloud]),
);
