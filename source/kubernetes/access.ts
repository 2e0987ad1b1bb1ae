import {type Script, sh} from '../shell/script.ts';

/** The kubeconfig that RKE2 writes on the first server: full rights, reachable on the host itself only. */
export const kubeconfigPath = '/etc/rancher/rke2/rke2.yaml';

/**
 * First line of every script that calls kubectl, helm or istioctl: which cluster, which programs (ours before those that
 * come with RKE2), and where helm keeps what it caches, so that nothing of an operator's own settings is read or changed.
 */
export const kubeEnvironment: Script = sh`export KUBECONFIG=${kubeconfigPath} PATH="/usr/local/bin:/var/lib/rancher/rke2/bin:$PATH" HELM_CACHE_HOME=/var/lib/groundwork/helm/cache HELM_CONFIG_HOME=/var/lib/groundwork/helm/config HELM_DATA_HOME=/var/lib/groundwork/helm/data`;
