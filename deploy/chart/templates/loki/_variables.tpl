{{/* What Loki's files read from the environment. */}}
{{- define "lokikit.lokiVariables" -}}
{{- $loki := .Values.loki -}}
- name: LOKI_BIND
  value: {{ .Values.listen | quote }}
- name: LOKI_PORT
  value: {{ include "lokikit.setting" (list . "LOKI_PORT") | quote }}
- name: LOKI_GRPC_PORT
  value: {{ include "lokikit.setting" (list . "LOKI_GRPC_PORT") | quote }}
- name: LOKI_RETENTION
  value: {{ .Values.retention | default (include "lokikit.setting" (list . "LOKI_RETENTION")) | quote }}
{{- with include "lokikit.memoryShare" (list "loki.resources" $loki.resources 9) }}
# So that Go collects rather than is killed.
- name: GOMEMLIMIT
  value: {{ . }}MiB
{{- end }}
{{- with include "lokikit.memoryShare" (list "loki.resources" $loki.resources 5) }}
- name: LOKI_REPLAY_MEMORY
  value: {{ . }}MB
{{- end }}
{{- if eq $loki.mode "ha" }}
{{ include "lokikit.haVariables" . }}
{{- end }}
{{- end }}
