{{/* The agent's configuration, one key a file: its folder is made again by the mount. */}}
{{- define "lokikit.agentFiles" -}}
{{- range $path, $_ := .Files.Glob "files/fluentbit/**.{yaml,lua}" }}
{{ include "lokikit.fileKey" (list $path "files/fluentbit/") }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- end }}
