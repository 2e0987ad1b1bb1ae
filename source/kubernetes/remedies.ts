import type {Remedy} from '../engine/step.ts';

/** What goes wrong in a cluster, for every step that applies objects or installs releases. */
export const kubernetesRemedies: readonly Remedy[] = [
  {
    id: 'kube-image-name',
    match: /InvalidImageName|ErrImageNeverPull|image \S+: .*(never|couldn't parse|invalid reference)/i,
    cause: 'The name of an image is wrong, or the image must not be pulled and is not on the node.',
    remedy: 'Correct the image in the settings of the chart, or load the image into the node, then retry.',
  },
  {
    id: 'kube-image',
    match: /cannot be pulled|ErrImagePull|ImagePullBackOff/,
    cause:
      'The node cannot get an image: it is not in the registry, the registry wants a login, or it cannot be reached.',
    remedy:
      'See the exact words above. Check the image’s name and tag, the registry or mirror of the deployment, its credentials and the way to it from the host, then retry.',
  },
  {
    id: 'kube-resources',
    match: /not scheduled: .*Insufficient (cpu|memory|ephemeral-storage|pods)/,
    cause: 'No node has room for what a pod asks for.',
    remedy:
      'Give the host more CPU or memory, or take components out of the deployment. `kubectl describe node` shows what is asked for. Then retry.',
  },
  {
    id: 'kube-claim',
    match: /not scheduled: .*(persistentvolumeclaim|unbound)|ProvisioningFailed|storageclass\S* .*not found/i,
    cause: 'A volume that a pod needs has not been made: there is no such storage class, or its provisioner fails.',
    remedy:
      'See `kubectl get storageclass` and `kubectl describe pvc` in that namespace; check that the NFS server answers from the host, then retry.',
  },
  {
    id: 'kube-mount',
    match: /MountVolume|Unable to attach or mount volumes|mount\.nfs/i,
    cause: 'The node cannot mount a volume.',
    remedy: 'Check that the host has its NFS client (package nfs-common) and reaches the NFS server, then retry.',
  },
  {
    id: 'kube-unschedulable',
    match: /not scheduled: /,
    cause: 'The scheduler finds no node for a pod.',
    remedy: 'See its words above: a taint, a node selector or an affinity that no node satisfies. Then retry.',
  },
  {
    id: 'kube-memory',
    match: /used more memory than it may|OOMKilled/,
    cause: 'A container reached its memory limit and was killed.',
    remedy: 'Raise its memory limit in the settings of the chart, then retry.',
  },
  {
    id: 'kube-quota',
    match: /exceeded quota|forbidden: .*quota|its pods are refused/,
    cause: 'The cluster refuses to make the pods: a quota is used up, or a policy forbids them.',
    remedy: 'See `kubectl describe resourcequota` in that namespace and the words above, then retry.',
  },
  {
    id: 'kube-settings',
    match: /(secret|configmap) "[^"]+" not found|couldn't find key/i,
    cause: 'A container reads a Secret or ConfigMap that is not there.',
    remedy:
      'Something that should have made it failed or was left out: look at the Jobs of that namespace, then retry.',
  },
  {
    id: 'kube-crash',
    match: /ended with exit status|CrashLoopBackOff|does not start:/,
    cause: 'A program of the release ends as soon as it is started.',
    remedy: 'The last lines of its log say why. What it waits for (a database, a schema, a name) may be missing.',
  },
  {
    id: 'kube-job',
    match: /the Job has failed|BackoffLimitExceeded|DeadlineExceeded/,
    cause: 'A Job of the release failed as often as it may.',
    remedy: 'The last lines of its log say why. Retry runs it anew.',
  },
  {
    id: 'helm-immutable-stateful-set',
    match: /StatefulSet\S* .*(is invalid|forbidden: updates to statefulset spec)/,
    cause:
      'The new version changes what Kubernetes does not let change in a StatefulSet: its volumes, its selector or its service.',
    remedy:
      'Delete the StatefulSet and leave its pods and volumes: `kubectl delete statefulset NAME --namespace NAMESPACE --cascade=orphan`, then retry; it takes them over.',
  },
  {
    id: 'helm-immutable',
    match: /field is immutable/,
    cause: 'The new version changes what Kubernetes does not let change in an object that is there.',
    remedy:
      'Delete that object (a Job can always be deleted; a Deployment’s pods are made anew; never a volume claim) and retry.',
  },
  {
    id: 'helm-owned',
    match: /invalid ownership metadata|cannot be imported into the current release/,
    cause: 'An object that the chart makes is there already, and was not made by this release.',
    remedy:
      'Find out who made it (`kubectl get … --output=yaml`). Delete it, or remove the release that owns it, then retry.',
  },
  {
    id: 'helm-chart',
    match: /the chart .* is not on this host|chart metadata is missing|not a valid chart|Chart\.yaml file is missing/i,
    cause: 'The chart’s file is missing on the host or damaged.',
    remedy: 'Retry: the step that fetches the charts puts it there again.',
  },
  {
    id: 'helm-values',
    match: /values don't meet the specifications|execution error at \(/,
    cause: 'The chart does not accept its settings.',
    remedy: 'Its words above name the setting. Correct it in the deployment, then retry.',
  },
  {
    id: 'helm-busy',
    match: /another operation \(install\/upgrade\/rollback\) is in progress|helm still works on/,
    cause: 'Another helm works on this release.',
    remedy: 'Wait until it has ended (Rancher’s own operations show under Apps), then retry.',
    transient: true,
  },
  {
    id: 'kube-kind',
    match: /no matches for kind|could not find the requested resource/,
    cause:
      'The cluster does not know a kind of object: what brings it (a chart with CRDs, an operator) is not installed.',
    remedy: 'Retry the step before; `kubectl get crd` shows what is there.',
  },
  {
    id: 'kube-webhook',
    match: /failed calling webhook|conversion webhook/,
    cause: 'The API server asks a program in the cluster before it takes an object, and that program does not answer.',
    remedy:
      'See with `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` who it is and whether its pods run, then retry.',
    transient: true,
  },
  {
    id: 'kube-api',
    match: /connection to the server \S+ was refused|cluster unreachable|etcdserver:|API server does not answer/i,
    cause: 'The API server does not answer: RKE2 is starting, stopped or out of memory.',
    remedy: 'See `systemctl status rke2-server` and `journalctl -u rke2-server -n 50` on the host, then retry.',
    transient: true,
  },
];
