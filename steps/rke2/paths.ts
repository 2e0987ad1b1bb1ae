/** Where RKE2 keeps its own things. None of these can be chosen: its own scripts and Rancher expect them there. */
export const dataDirectory = '/var/lib/rancher/rke2';
export const configurationDirectory = '/etc/rancher/rke2';

export const configurationPath = `${configurationDirectory}/config.yaml`;
export const registriesPath = `${configurationDirectory}/registries.yaml`;
/** Who CoreDNS asks about names that are not the cluster's. */
export const resolverPath = `${configurationDirectory}/resolv.conf`;
export const podSecurityPath = `${configurationDirectory}/pod-security.yaml`;
/** Read by the unit: the proxy that containers' images are pulled through. */
export const environmentPath = '/etc/default/rke2-server';

export const imagesDirectory = `${dataDirectory}/agent/images`;
export const serverCertificate = `${dataDirectory}/server/tls/serving-kube-apiserver.crt`;

/** What the archive is unpacked to, as RKE2's own installer does it. */
export const prefix = '/usr/local';
export const program = `${prefix}/bin/rke2`;
export const unitPath = `${prefix}/lib/systemd/system/rke2-server.service`;
export const unit = 'rke2-server.service';

export const profilePath = '/etc/profile.d/groundwork-kubernetes.sh';

/** RKE2's own scripts, and folders that only they know. */
export const killScript = `${prefix}/bin/rke2-killall.sh`;
export const uninstallScript = `${prefix}/bin/rke2-uninstall.sh`;
export const sharedDirectory = `${prefix}/share/rke2`;
export const nodeDirectory = '/etc/rancher/node';
export const kubeletDirectory = '/var/lib/kubelet';
