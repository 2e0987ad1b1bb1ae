import {artifactRemedies} from '../../source/artifacts/remedies.ts';
import type {Remedy} from '../../source/engine/step.ts';
import {kubernetesRemedies} from '../../source/kubernetes/remedies.ts';

/** What goes wrong on the cluster whatever is installed on it, for the end of each such step's own list. */
export const platformRemedies: readonly Remedy[] = [
  {
    id: 'cluster-absent',
    match: /no such file or directory.*rke2\.yaml|rke2\.yaml.*no such file|kubectl: (command )?not found/i,
    cause: 'There is no cluster on this host yet, or somebody has taken it away.',
    remedy: 'Retry the step “RKE2” on this host, then this one.',
  },
  {
    id: 'pod-security',
    match: /violates PodSecurity/i,
    cause: 'The cluster follows the CIS profile, and the namespace takes only pods that ask for nothing of the host.',
    remedy: 'Retry the step: it labels its namespace. If it stays, somebody else changes that label.',
  },
  ...artifactRemedies,
  ...kubernetesRemedies,
];
