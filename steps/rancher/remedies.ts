import type {Remedy} from '../../source/engine/step.ts';

export const rancherRemedies: readonly Remedy[] = [
  {
    id: 'rancher-cluster',
    match: /waited .* in vain for Rancher to know/,
    cause: 'Rancher runs, and has not yet taken over the cluster that it runs on.',
    remedy: 'See `kubectl -n cattle-system logs deploy/rancher --tail=50`. On a slow machine, retrying is enough.',
    transient: true,
  },
  {
    id: 'rancher-kubernetes',
    match: /chart requires kubeVersion/i,
    cause: 'This version of Rancher does not run on the cluster’s version of Kubernetes.',
    remedy: 'Choose versions that go together: `versions: default` in the deployment.',
  },
  {
    id: 'rancher-owned',
    match: /cannot be imported into the current release|invalid ownership metadata/i,
    cause: 'Objects of an earlier Rancher, which was installed in another way, are still in the cluster.',
    remedy: 'Remove the earlier one with its own uninstaller (rancher-cleanup), then retry.',
  },
  {
    id: 'rancher-not-pong',
    match: /expected pong, got/,
    cause:
      'Something between nginx and Rancher does not let requests through; 403 is nginx, 404 the gateway, 503 Rancher itself.',
    remedy:
      'Verify the steps “nginx reverse proxy” and “Istio and its gateway”; see `kubectl -n cattle-system get virtualservice rancher -o yaml`.',
  },
  {
    id: 'rancher-webhook',
    match: /rancher-webhook/i,
    cause: 'The part of Rancher that checks its objects did not come up; Rancher installs it itself after its start.',
    remedy: 'See `kubectl -n cattle-system get pods` and the log of deploy/rancher; retry when rancher-webhook runs.',
    transient: true,
  },
];
