import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {gatewayPorts} from '../../steps/shared/platform.ts';
import type {KubeApi} from './kube-api.ts';

/** What the programs behind the gateway say to those who ask whether they work, by the name of their service. */
const programs: Readonly<Record<string, (path: string) => string | undefined>> = {
  rancher: path => (path === '/ping' ? 'pong' : undefined),
  grafana: path => (path === '/api/health' ? '{"database": "ok"}' : undefined),
  'commons-keycloak': path => (path.startsWith('/realms/staff/') ? '{}' : undefined),
};

const fits = (pattern: string, name: string): boolean =>
  pattern === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1)));

/** The service that Istio's objects lead a request for this name to, as the ingress gateway finds it. */
const serviceFor = async (api: KubeApi, name: string): Promise<string | undefined> => {
  const gateways = await api.list('/apis/networking.istio.io/v1/gateways');
  const open = gateways
    .filter(({spec}) =>
      spec.servers.some(
        ({port, hosts}: {port: {number: number}; hosts: readonly string[]}) =>
          port.number === gatewayPorts.http.port && hosts.some(host => fits(host, name)),
      ),
    )
    .map(({metadata}) => `${metadata.namespace}/${metadata.name}`);
  const routes = await api.list('/apis/networking.istio.io/v1/virtualservices');
  const route = routes.find(
    ({metadata, spec}) =>
      spec.hosts.some((host: string) => fits(host, name)) &&
      spec.gateways.some((gateway: string) =>
        open.includes(gateway.includes('/') ? gateway : `${metadata.namespace}/${gateway}`),
      ),
  );
  return route?.spec.http[0].route[0].destination.host.split('.')[0];
};

export type HollowGateway = {readonly port: number; readonly close: () => Promise<void>};

/**
 * Answers for all pods of a hollow node: as Istio's ingress gateway, which finds the program behind a name by the objects
 * that are on the cluster, and as Loki.
 */
export const startHollowGateway = async (listen: string, api: () => KubeApi | undefined): Promise<HollowGateway> => {
  const answer = async (host: string, path: string): Promise<{status: number; text: string}> => {
    const server = api();
    const gateway = await server?.get('/apis/apps/v1/namespaces/istio-system/deployments/istio-ingressgateway');
    if (path.startsWith('/loki/')) return {status: 200, text: '{"status":"success","data":["kube-system"]}'};
    if (!server || !gateway?.status?.availableReplicas) return {status: 503, text: 'no gateway'};
    if (path === '/healthz/ready') return {status: 200, text: ''};
    const service = await serviceFor(server, host.replace(/:\d+$/, ''));
    const text = service === undefined ? undefined : programs[service]?.(path);
    return text === undefined ? {status: 404, text: 'no route'} : {status: 200, text};
  };
  const server = createServer((from, to) => {
    answer(from.headers.host ?? '', from.url ?? '/').then(
      ({status, text}) => to.writeHead(status).end(text),
      error => to.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>(resolve => server.listen(0, listen, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
