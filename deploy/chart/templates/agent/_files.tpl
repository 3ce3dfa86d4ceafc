{{/* The agent's configuration, one key a file: its folder is made again by the mount. */}}
{{- define "lokikit.agentFiles" -}}
{{- range $path, $_ := .Files.Glob "files/fluentbit/**.{yaml,lua}" }}
{{ include "lokikit.fileKey" (list $path "files/fluentbit/") }}: |
  {{- include "lokikit.agentFile" (list $ $path) | nindent 2 }}
{{- end }}
{{- range $name, $text := .Values.agent.extraInputs }}
extra__{{ $name }}: |
  {{- $text | nindent 2 }}
{{- end }}
{{- end }}

{{/* Its paths below the configuration's folder, each with its key. */}}
{{- define "lokikit.agentItems" -}}
{{- range $path, $_ := .Files.Glob "files/fluentbit/**.{yaml,lua}" }}
- key: {{ include "lokikit.fileKey" (list $path "files/fluentbit/") }}
  path: {{ trimPrefix "files/fluentbit/" $path }}
{{- end }}
{{- range $name, $_ := .Values.agent.extraInputs }}
- key: extra__{{ $name }}
  path: extra/{{ $name }}
{{- end }}
{{- end }}

{{/* Whether the agents write the canary's numbered lines: there is none, and who alerts reads them. */}}
{{- define "lokikit.heartbeats" -}}
{{- $unread := and .Values.tenants.byNamespace (not (has (include "lokikit.namespace" .) (.Values.tenants.grafana | default list))) }}
{{- if not (or .Values.canary.enabled $unread) }}true{{ end }}
{{- end }}

{{/*
One of them: as it stands, but that it follows the files of the wanted namespaces alone. A pod's
folder is NAMESPACE_POD_UID, so no answer of the API server is needed.
*/}}
{{- define "lokikit.agentFile" -}}
{{- $namespaces := (index . 0).Values.agent.namespaces }}
{{- $text := (index . 0).Files.Get (index . 1) }}
{{- $folder := "${FLUENTBIT_CONTAINERS:-/var/log/pods}" }}
{{- if $namespaces.include }}
{{- range $suffix := list ".log" ".log.*" }}
{{- $paths := list }}
{{- range $namespaces.include }}
{{- $paths = append $paths (printf "%s/%s_*/*/*%s" $folder . $suffix) }}
{{- end }}
{{- $text = replace (printf "path: %s/*/*/*%s\n" $folder $suffix) (printf "path: %s\n" (join "," $paths)) $text }}
{{- end }}
{{- end }}
{{- if hasSuffix "/kubernetes-posted.yaml" (index . 1) }}
{{- /* Fluent Bit sets no field to nothing. */}}
{{- with (index . 0).Values.cluster }}
{{- $text = printf "%s      set: _lokikit_cluster ${CLUSTER}\n" $text }}
{{- end }}
{{- end }}
{{- if hasSuffix "files/fluentbit/kubernetes.yaml" (index . 1) }}
{{- $text = printf "%s  - kubernetes-posted.yaml\n" $text }}
{{- if include "lokikit.heartbeats" (index . 0) }}
{{- $text = printf "%s  - inputs/heartbeat.yaml\n" $text }}
{{- end }}
{{- range $name, $_ := (index . 0).Values.agent.extraInputs }}
{{- $text = printf "%s  - extra/%s\n" $text $name }}
{{- end }}
{{- end }}
{{- range $namespaces.exclude }}
{{- $text = replace "exclude_path: '" (printf "exclude_path: '%s/%s_*," $folder .) $text }}
{{- end }}
{{- $text }}
{{- end }}
