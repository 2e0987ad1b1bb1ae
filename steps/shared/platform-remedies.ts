import type {Remedy} from '../../source/engine/step.ts';

/** What goes wrong on a cluster whatever is installed on it. */
export const platformRemedies: readonly Remedy[] = [
  {
    id: 'cluster-silent',
    match:
      /connection to the server .* was refused|no such file or directory.*rke2\.yaml|Unable to connect to the server/i,
    cause: 'The API server of the cluster does not answer: RKE2 has stopped, or it is starting.',
    remedy:
      'See `systemctl status rke2-server` and `journalctl -u rke2-server -n 50` on the host; start it, then retry.',
    transient: true,
  },
  {
    id: 'webhook-silent',
    match: /failed calling webhook|no endpoints available for service/i,
    cause: 'A part of the platform that checks objects before they are taken is starting or has stopped.',
    remedy: 'Wait until its pods run (`kubectl get pods -A`), then retry.',
    transient: true,
  },
  {
    id: 'image-pull',
    match: /ErrImagePull|ImagePullBackOff|failed to pull image|toomanyrequests/i,
    cause: 'The machine cannot get an image: the registry is out of reach, limits requests, or does not have it.',
    remedy:
      'Open the way to the registry, or name one inside the site in the deployment (components.kubernetes.registry) that has the image, then retry.',
  },
  {
    id: 'pod-room',
    match: /Insufficient (cpu|memory)|didn't have free ports|exceeded quota/i,
    cause: 'No machine of the cluster has room for the pod.',
    remedy: 'Choose a smaller size of monitoring or logging, or give the compute host more processors or memory.',
  },
  {
    id: 'claim-pending',
    match: /unbound immediate PersistentVolumeClaims|waiting for a volume to be created|ProvisioningFailed/i,
    cause: 'A volume was asked for and none came: the storage class or the NFS server behind it does not answer.',
    remedy: 'Verify the steps “Storage class” and “NFS server”, then retry.',
  },
  {
    id: 'pod-security',
    match: /violates PodSecurity/i,
    cause: 'The cluster follows the CIS profile, and the namespace takes only pods that ask for nothing of the host.',
    remedy: 'Verify the step again: it labels its namespace. If it stays, somebody else changes that label.',
  },
  {
    id: 'kind-missing',
    match: /no matches for kind|the server doesn't have a resource type/i,
    cause: 'The cluster does not know this kind of object: what brings it is not installed, or is still starting.',
    remedy: 'Retry. If it stays, look into the step before this one with “verify”.',
    transient: true,
  },
];
