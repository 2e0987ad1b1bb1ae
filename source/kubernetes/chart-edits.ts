import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {printer} from './access.ts';

/** Which Jobs of a chart's hooks. A Job must match everything that is given. */
export type HookMatcher = {
  /** Part of the Job's name. */
  readonly name?: string;
  /** Part of an image: `mosipid/postgres-init`. */
  readonly image?: string;
};

/** Certificates of authorities that pods are to trust, in PEM: of the public ones, too, since programs look nowhere else then. */
export type Trust = {
  /** Of each namespace; pods start without it as well. */
  readonly configMap: string;
  readonly key: string;
};

/** What is changed in the objects of a chart, after its templates have spoken. */
export type ChartEdits = {
  /** Hook Jobs that become ordinary ones. */
  readonly hooksAsJobs: readonly HookMatcher[];
  /** Every container of a workload gets these authorities, where it has not been told others. */
  readonly trust?: Trust;
};

const literal = (text: string): string => JSON.stringify(text);

const matches = ({name, image}: HookMatcher): string =>
  `(and (contains ${literal(name ?? '')} $name) (contains ${literal(image ?? '')} $images))`;

const trustFolder = '/etc/groundwork/trust';
const trustFile = `${trustFolder}/authorities.pem`;

/**
 * By which programs learn where authorities are: OpenSSL and what is built on it (Python's ssl and httpx, Ruby, PHP), Go;
 * Python's requests; curl; Node. Java has none: it wants a store of its own form.
 */
const trustVariables = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'] as const;

const noTrust = '{{- define "groundwork.trust" -}}{{- end }}\n';

/** Changes the spec of a pod in place. */
const trustTemplate = ({configMap, key}: Trust): string => `{{- define "groundwork.trust" -}}
{{- $pod := . }}
{{- $items := list (dict "key" ${literal(key)} "path" "authorities.pem") }}
{{- $volume := dict "name" "groundwork-trust" "configMap" (dict "name" ${literal(configMap)} "items" $items "optional" true) }}
{{- $_ := set $pod "volumes" (append ($pod.volumes | default list) $volume) }}
{{- range $container := concat ($pod.initContainers | default list) ($pod.containers | default list) }}
{{- $mount := dict "name" "groundwork-trust" "mountPath" ${literal(trustFolder)} "readOnly" true }}
{{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) $mount) }}
{{- $given := list }}
{{- range $variable := ($container.env | default list) }}
{{- $given = append $given $variable.name }}
{{- end }}
{{- $variables := $container.env | default list }}
{{- range $name := list ${trustVariables.map(literal).join(' ')} }}
{{- if not (has $name $given) }}
{{- $variables = append $variables (dict "name" $name "value" ${literal(trustFile)}) }}
{{- end }}
{{- end }}
{{- $_ := set $container "env" $variables }}
{{- end }}
{{- end }}
`;

/**
 * Templates of Helm that turn chosen hook Jobs into ordinary ones, and let pods trust more authorities. Helm has no switch for
 * a single hook, and gives hooks to no post-renderer; but whether a Job is one is decided by an annotation, after the templates
 * have spoken. Objects that nothing is changed in keep their text.
 */
const library = ({
  hooksAsJobs,
  trust,
}: ChartEdits): string => `${trust ? trustTemplate(trust) : noTrust}{{- define "groundwork.documents" -}}
{{- range $document := regexSplit "(?m)^---" . -1 }}
---
{{- $object := fromYaml $document }}
{{- $edited := false }}
{{- $hook := false }}
{{- if and (eq (toString $object.kind) "Job") (kindIs "map" $object.metadata) }}
{{- if and (kindIs "map" $object.metadata.annotations) (hasKey ($object.metadata.annotations | default dict) "helm.sh/hook") }}
{{- $name := toString $object.metadata.name }}
{{- $images := "" }}
{{- range $container := concat ($object.spec.template.spec.initContainers | default list) ($object.spec.template.spec.containers | default list) }}
{{- $images = print $images " " $container.image }}
{{- end }}
{{- $hook = or ${hooksAsJobs.map(matches).join(' ')} false false }}
{{- end }}
{{- end }}
{{- if $hook }}
{{- $edited = true }}
{{- range $key := keys $object.metadata.annotations }}
{{- if hasPrefix "helm.sh/hook" $key }}
{{- $_ := unset $object.metadata.annotations $key }}
{{- end }}
{{- end }}
{{- end }}
{{- if ${trust ? 'has (toString $object.kind) (list "Deployment" "StatefulSet" "DaemonSet" "Job" "CronJob")' : 'false'} }}
{{- $edited = true }}
{{- if eq $object.kind "CronJob" }}
{{- include "groundwork.trust" $object.spec.jobTemplate.spec.template.spec }}
{{- else }}
{{- include "groundwork.trust" $object.spec.template.spec }}
{{- end }}
{{- end }}
{{- if $edited }}
{{ toYaml $object }}
{{- else }}
{{ $document }}
{{- end }}
{{- end }}
{{- end }}
`;

/**
 * Puts a changed copy of the chart, with the charts inside it, in the place of `chart`. A file that defines templates for others
 * besides printing objects stays as it is, because a definition cannot hold one.
 */
export const editedChart = (edits: ChartEdits): Script =>
  edits.hooksAsJobs.length === 0 && !edits.trust
    ? nothing
    : lines(
        printer('library', library(edits)),
        sh`mkdir "$dir/chart" && tar -xzf "$chart" -C "$dir/chart" || exit 1
while packed=$(find "$dir/chart" -type f -path '*/charts/*.tgz' | head -n 1) && [ -n "$packed" ]; do
  tar -xzf "$packed" -C "$(dirname "$packed")" && rm "$packed" || exit 1
done
chart=$(echo "$dir"/chart/*)
mkdir -p "$chart/templates" && library >"$chart/templates/_groundwork.tpl" || exit 1
number=0
while IFS= read -r file; do
  ! grep -qE '[{][{]-? *define ' "$file" || continue
  number=$((number + 1))
  {
    printf '{{- define "groundwork.file.%s" -}}\n' "$number"
    cat "$file"
    printf '\n{{- end -}}\n{{- include "groundwork.documents" (include "groundwork.file.%s" .) -}}\n' "$number"
  } >"$dir/file" && mv "$dir/file" "$file" || exit 1
done < <(find "$chart" -type f -path '*/templates/*' ! -path '*/templates/tests/*' ! -name '_*' \( -name '*.yaml' -o -name '*.yml' \))`,
      );
