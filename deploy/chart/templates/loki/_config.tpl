{{/* Loki's configuration: the kit's own file, and over it what the mode and the tenants need. */}}
{{- define "lokikit.lokiConfig" -}}
{{- $single := .Files.Get "files/loki/loki.yaml" }}
{{- if and (eq .Values.loki.mode "single") (not .Values.tenants.byNamespace) }}
{{- $single }}
{{- else }}
{{- $config := fromYaml $single }}
{{- if eq .Values.loki.mode "ha" }}
{{- $config = mergeOverwrite $config (.Files.Get "files/loki/ha.yaml" | fromYaml) }}
{{- end }}
{{- if .Values.tenants.byNamespace }}
{{- $config = mergeOverwrite $config (.Files.Get "files/loki/tenants.yaml" | fromYaml) }}
{{- end }}
{{- toYaml $config }}
{{- end }}
{{- end }}
