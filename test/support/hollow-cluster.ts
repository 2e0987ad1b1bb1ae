import {gatewayPorts} from '../../steps/shared/platform.ts';
import {startHollowGateway} from './hollow-gateway.ts';
import {type Controller, kubelet, volumeDriver} from './hollow-node.ts';
import {type KubeApi, kubeApi} from './kube-api.ts';
import {type LabHost, lab, labExec} from './lab.ts';
import {dnsAddress, prometheusOperator, rancherProgram, rke2Charts} from './operators.ts';

const controllers: readonly Controller[] = [kubelet, rke2Charts, volumeDriver, rancherProgram, prometheusOperator];

/** Milliseconds between two looks at the cluster. */
const pause = 400;

/**
 * What kube-proxy and the network of pods do on a host: what is sent to a port of the machine that belongs to the gateway,
 * or to the address of a pod, comes to the program that answers for all of them. Questions to the cluster's DNS come to
 * the server that CoreDNS asks about the platform's names.
 */
const proxyRules = ({address}: LabHost, to: string): string => `nft -f - <<'END'
table ip pods
delete table ip pods
table ip pods {
  chain output {
    type nat hook output priority -100;
    ip daddr ${address} tcp dport { ${Object.values(gatewayPorts)
      .map(({nodePort}) => nodePort)
      .join(', ')} } dnat to ${to}
    ip daddr 10.42.0.0/16 meta l4proto tcp dnat to ${to}
    ip daddr ${dnsAddress} udp dport 53 dnat to ${address}:53
    ip daddr ${dnsAddress} tcp dport 53 dnat to ${address}:53
  }
}
END`;

export type HollowCluster = {
  /** The API server, once it has been there. */
  readonly api: () => KubeApi | undefined;
  /** What the server said that it should not have said, each once. */
  readonly complaints: () => readonly string[];
  readonly close: () => Promise<void>;
};

/** Those of a server that is not there yet, or just now not. */
const absence = /ECONN|socket hang up|EPIPE|EHOSTUNREACH|no answer|: (404|409|429|500|503) /;

/**
 * Everything that the API server of RKE2's stand-in lacks to be a cluster: from the moment when it is there until `close`,
 * pods run, claims get volumes, and operators make what they make.
 */
export const startHollowCluster = async (host: LabHost): Promise<HollowCluster> => {
  const here = host.address.replace(/\d+$/, '1');
  const complaints = new Set<string>();
  let api: KubeApi | undefined;
  let ended = false;
  const gateway = await startHollowGateway(here, () => api);
  await lab(['allow', String(gateway.port)]);

  const join = async (): Promise<KubeApi | undefined> => {
    const {code, stdout} = await labExec(host, 'cat /etc/rancher/rke2/rke2.yaml');
    if (code !== 0 || !stdout.includes('client-key-data')) return undefined;
    const routed = await labExec(host, proxyRules(host, `${here}:${gateway.port}`));
    if (routed.code !== 0) throw new Error(routed.stderr);
    return kubeApi(stdout, host.address);
  };

  const look = async (): Promise<void> => {
    api ??= await join();
    if (!api) return;
    for (const controller of controllers) await controller(api);
  };

  const loop = (async () => {
    while (!ended) {
      await look().catch(error => {
        const said = String(error.message ?? error);
        if (!absence.test(said)) complaints.add(said.slice(0, 400));
      });
      await new Promise(resolve => setTimeout(resolve, pause));
    }
  })();

  return {
    api: () => api,
    complaints: () => [...complaints],
    close: async () => {
      ended = true;
      await loop;
      await gateway.close();
    },
  };
};
