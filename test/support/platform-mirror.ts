import {catalogue} from '../../source/artifacts/catalogue.ts';
import type {VersionSet} from '../../source/blueprints/versions.ts';
import {partsOf} from '../../source/practice/charts.ts';
import {chartPackage} from '../../source/practice/internet.ts';
import {fillMirror, type Mirror} from './mirror.ts';
import {rke2Mirror} from './rke2-archive.ts';

/** What of the publishers' charts a cluster with controllers needs beyond the stand-ins of practice hosts. */
const more: Readonly<Record<string, string>> = {
  'rancher-monitoring': `---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: rancher-monitoring-prometheus}
spec: {{ toJson .Values.prometheus.prometheusSpec }}
---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: {name: rancher-monitoring-alertmanager}
spec: {{ toJson .Values.alertmanager.alertmanagerSpec }}
`,
  'openg2p-commons-base': `---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data-{{ .Release.Name }}-postgresql-0
  labels: {app.kubernetes.io/instance: {{ .Release.Name }}}
  annotations: {helm.sh/resource-policy: keep}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: {{ .Release.Name }}-keycloak}
spec:
  hosts: ["keycloak.{{ .Values.global.baseDomain }}"]
  gateways: [internal]
  http: [{route: [{destination: {host: {{ .Release.Name }}-keycloak, port: {number: 80}}}]}]
`,
};

/** Puts all that the platform downloads onto a mirror: RKE2's stand-in, real kubectl and helm, small charts. */
export const fillWithPlatform = async (mirror: Mirror, versions: VersionSet): Promise<void> => {
  for (const [path, content] of await rke2Mirror(versions)) mirror.files.set(path, content);
  fillMirror(
    mirror,
    catalogue(versions, 'amd64').filter(({kind}) => kind === 'chart'),
    ({index, version}) => {
      const chart = index?.chart ?? '';
      return chartPackage(chart, version, partsOf(chart).template + (more[chart] ?? ''));
    },
  );
};
