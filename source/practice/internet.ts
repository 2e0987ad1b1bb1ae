import {createHash} from 'node:crypto';
import {zstdCompressSync} from 'node:zlib';
import {type Arch, type Artifact, fileNameOf} from '../artifacts/artifact.ts';
import {catalogue} from '../artifacts/catalogue.ts';
import {placeOf} from '../artifacts/source.ts';
import {versionSets} from '../blueprints/versions.ts';
import {templateOf} from './charts.ts';
import {type TarFile, tarGz} from './tar.ts';

/** The stand-ins on a host, see fixtures/practice. */
const kubernetes = '/usr/local/lib/practice/kubernetes';

/** A program that the runtime of this program runs: it takes the version that it says of itself from its second line. */
const nodeProgram = (name: string, version: string): string =>
  `#!/usr/local/lib/practice/node ${kubernetes}/${name}.mjs\n// ${version}\n`;

const bashProgram = (name: string, version: string): string =>
  `#!/bin/bash\nversion=${version}\n. ${kubernetes}/${name}.sh\n`;

const unit = (kind: 'server' | 'agent'): string => `[Unit]
Description=Rancher Kubernetes Engine v2 (${kind})
Documentation=https://github.com/rancher/rke2#readme
Wants=network-online.target
After=network-online.target
Conflicts=rke2-${kind === 'server' ? 'agent' : 'server'}.service
[Install]
WantedBy=multi-user.target
[Service]
Type=notify
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/usr/local/lib/systemd/system/%N.env
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/rke2 ${kind}
`;

/** As RKE2's own archive lies: relative to /usr/local. */
const rke2Archive = (version: string): readonly TarFile[] => [
  {path: 'bin/rke2', content: bashProgram('rke2', version), mode: 0o755},
  {path: 'bin/rke2-killall.sh', content: bashProgram('rke2-killall', version), mode: 0o755},
  {path: 'bin/rke2-uninstall.sh', content: bashProgram('rke2-uninstall', version), mode: 0o755},
  {path: 'lib/systemd/system/rke2-server.service', content: unit('server')},
  {path: 'lib/systemd/system/rke2-server.env', content: 'HOME=/root\n'},
  {path: 'lib/systemd/system/rke2-agent.service', content: unit('agent')},
  {path: 'lib/systemd/system/rke2-agent.env', content: 'HOME=/root\n'},
  {path: 'share/rke2/LICENSE.txt', content: 'Stand-in of a practice host.\n'},
  {
    path: 'share/rke2/rke2-cis-sysctl.conf',
    content: 'vm.panic_on_oom=0\nvm.overcommit_memory=1\nkernel.panic=10\nkernel.panic_on_oops=1\n',
  },
];

/** A chart of one file of templates, packed as helm packs it. */
export const chartPackage = (name: string, version: string, template: string): Buffer =>
  tarGz([
    {
      path: `${name}/Chart.yaml`,
      content: `apiVersion: v2\nname: ${name}\nversion: ${version}\nappVersion: "${version}"\ndescription: Stand-in of a practice host\n`,
    },
    {path: `${name}/values.yaml`, content: '{}\n'},
    {path: `${name}/templates/all.yaml`, content: template},
  ]);

const contentOf = ({id, kind, version, arch, index}: Artifact): Buffer => {
  if (index) return chartPackage(index.chart, version, templateOf(index.chart));
  if (id === 'rke2-archive') return tarGz(rke2Archive(version));
  if (kind === 'archive')
    return tarGz([
      {path: `linux-${arch ?? 'amd64'}/LICENSE`, content: 'Stand-in of a practice host.\n'},
      {path: `linux-${arch ?? 'amd64'}/${id}`, content: nodeProgram(id, version), mode: 0o755},
    ]);
  if (kind === 'images') return zstdCompressSync(Buffer.from(`No images of ${version}: practice hosts run none.\n`));
  return Buffer.from(nodeProgram(id, version));
};

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

type Packed = {readonly artifact: Artifact; readonly content: Buffer; readonly sum: string};

/** As `helm repo index` writes it: keys in the order of the alphabet. */
const indexFile = (charts: readonly Packed[]): string => {
  const names = [...new Set(charts.map(({artifact}) => artifact.index?.chart ?? ''))].sort();
  const entries = names.flatMap(name => [
    `  ${name}:`,
    ...charts
      .filter(({artifact}) => artifact.index?.chart === name)
      .flatMap(({artifact, sum}) => [
        '  - apiVersion: v2',
        `    digest: ${sum}`,
        `    name: ${name}`,
        '    urls:',
        `    - ${artifact.address}`,
        `    version: ${artifact.version}`,
      ]),
  ]);
  return ['apiVersion: v1', 'entries:', ...entries, 'generated: "2026-01-01T00:00:00Z"', ''].join('\n');
};

/**
 * What practice hosts find on the internet: a stand-in for each artifact of every version set at its true address, with
 * the files of checksums and the indexes beside them. Content by path, as a mirror lays it out: `get.helm.sh/helm….gz`.
 */
export const internet = (arch: Arch): ReadonlyMap<string, string | Buffer> => {
  const artifacts = new Map(
    versionSets.flatMap(set => catalogue(set, arch)).map(artifact => [artifact.address, artifact]),
  );
  const all = [...artifacts.values()].map((artifact): Packed => {
    const content = contentOf(artifact);
    return {artifact, content, sum: sha256(content)};
  });
  const files = new Map<string, string | Buffer>();
  for (const {artifact, content, sum} of all) {
    files.set(placeOf(artifact.address), content);
    if (artifact.checksumAddress === undefined) continue;
    const place = placeOf(artifact.checksumAddress);
    files.set(place, `${files.get(place) ?? ''}${sum}  ${fileNameOf(artifact)}\n`);
  }
  for (const address of new Set(all.flatMap(({artifact}) => artifact.index?.address ?? []))) {
    files.set(placeOf(address), indexFile(all.filter(({artifact}) => artifact.index?.address === address)));
  }
  return files;
};
