import {mkdirSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {execa} from 'execa';
import {quote} from '../../source/shell/script.ts';
import {type LabHost, labDirectory, labExec, labKey, labKnownHosts} from '../support/lab.ts';
import {projectRoot} from '../support/terminal.ts';

const sshOptions = [
  '-o BatchMode=yes',
  '-o IdentitiesOnly=yes',
  '-o LogLevel=ERROR',
  `-o UserKnownHostsFile=${labKnownHosts}`,
  '-o StrictHostKeyChecking=yes',
  `-i ${labKey}`,
];

/** OpenSSH's masters lie here. A short path: a socket's is at most 107 bytes long. */
const sockets = '/run/groundwork-bench';

const master = [...sshOptions, `-o ControlPath=${sockets}/%C`, '-o ControlMaster=auto', '-o ControlPersist=120'];

/**
 * A shell script that sends each host its script through OpenSSH, to all side by side, and ends when all have answered;
 * with a status other than 0 when one did not.
 */
export const openSshProgram = (hosts: readonly LabHost[], folder: string, scripts: ReadonlyMap<string, string>) => {
  mkdirSync(folder, {recursive: true});
  mkdirSync(sockets, {recursive: true, mode: 0o700});
  const lines = hosts.map(({name, address}) => {
    const script = join(folder, `${name}.sh`);
    writeFileSync(script, scripts.get(name) ?? '');
    // Standard error apart: the master that stays behind would hold it open.
    return `ssh ${master.join(' ')} ubuntu@${address} sudo -n bash -s <${quote(script)} >${quote(join(folder, `${name}.out`))} 2>/dev/null & jobs="$jobs $!"`;
  });
  const program = join(folder, 'send.sh');
  writeFileSync(program, [...lines, 'for job in $jobs; do wait "$job" || exit; done', ''].join('\n'));
  return program;
};

/** Ends the masters, so that the next run has to log in. */
export const endMasters = async (hosts: readonly LabHost[]): Promise<void> => {
  await Promise.all(
    hosts.map(({address}) =>
      execa('ssh', [...master.join(' ').split(' '), '-O', 'exit', `ubuntu@${address}`], {reject: false}),
    ),
  );
};

/** Fetches what is on each host for the playbook to compare with, and gives the arguments and settings of Ansible. */
export const prepareAnsible = async (
  hosts: readonly LabHost[],
  folder: string,
  paths: readonly string[],
): Promise<{readonly args: readonly string[]; readonly env: Readonly<Record<string, string>>}> => {
  const ground = join(folder, 'ground');
  for (const {name} of hosts) {
    const here = join(ground, name);
    mkdirSync(here, {recursive: true});
    const archive = await labExec(name, `tar -ch ${paths.map(quote).join(' ')} 2>/dev/null | base64 -w0`);
    await execa('tar', ['-x', '-C', here], {input: Buffer.from(archive.stdout, 'base64')});
    const firewall = await labExec(name, 'ufw status verbose; ufw show added');
    writeFileSync(join(here, 'firewall'), firewall.stdout);
  }
  const inventory = join(folder, 'inventory');
  writeFileSync(
    inventory,
    `${hosts.map(({name, address}) => `${name} ansible_host=${address} ansible_user=ubuntu ansible_ssh_private_key_file=${labKey} ansible_python_interpreter=/usr/bin/python3`).join('\n')}\n`,
  );
  return {
    args: ['-i', inventory, '-e', `ground=${ground}`, resolve(projectRoot, 'test/bench/playbook.yaml')],
    env: {
      ANSIBLE_PIPELINING: '1',
      ANSIBLE_FORKS: '16',
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_SSH_CONTROL_PATH_DIR: `${sockets}/ansible`,
      ANSIBLE_LOCAL_TEMP: join(labDirectory, 'bench', 'ansible-tmp'),
      ANSIBLE_SSH_ARGS: `${sshOptions.slice(0, -1).join(' ')} -o ControlMaster=auto -o ControlPersist=120`,
    },
  };
};

/** Whether a playbook's recap says that all hosts were as they should be. */
export const nothingChanged = (recap: string, hosts: number): boolean =>
  [...recap.matchAll(/changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/g)].filter(
    ([, changed, unreachable, failed]) => changed === '0' && unreachable === '0' && failed === '0',
  ).length === hosts;
