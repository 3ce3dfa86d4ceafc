{{/* The agent's configuration, one key a file: its folder is made again by the mount. */}}
{{- define "lokikit.agentFiles" -}}
{{- range $path, $_ := .Files.Glob "files/fluentbit/**.{yaml,lua}" }}
{{ include "lokikit.fileKey" (list $path "files/fluentbit/") }}: |
  {{- include "lokikit.agentFile" (list $ $path) | nindent 2 }}
{{- end }}
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
{{- range $namespaces.exclude }}
{{- $text = replace "exclude_path: '" (printf "exclude_path: '%s/%s_*," $folder .) $text }}
{{- end }}
{{- $text }}
{{- end }}
