{{/*
The values of the canary, placed where agents are. A toleration without a key would lead it to nodes
that are being drained, so of the agent's it has those with one.
*/}}
{{- define "lokikit.besideAgents" -}}
{{- $values := deepCopy .Values.canary }}
{{- if not $values.tolerations }}
{{- $tolerations := list }}
{{- range include "lokikit.agentTolerations" . | fromYamlArray }}
{{- if .key }}{{ $tolerations = append $tolerations . }}{{ end }}
{{- end }}
{{- $_ := set $values "tolerations" $tolerations }}
{{- end }}
{{- $_ := set $values "nodeSelector" (merge ($values.nodeSelector | default dict) (.Values.agent.nodeSelector | default dict)) }}
{{- toYaml $values }}
{{- end }}
