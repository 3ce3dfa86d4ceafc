{{/* Of a pod whose lines an agent is to find: where agents are. Their priority is theirs alone. */}}
{{- define "lokikit.besideAgents" -}}
{{- $tolerations := .Values.agent.tolerations | default list }}
{{- if .Values.agent.controlPlane }}
{{- $tolerations = append $tolerations (dict "key" "node-role.kubernetes.io/control-plane" "operator" "Exists" "effect" "NoSchedule") }}
{{- end }}
{{- include "lokikit.placement" (list . (dict "nodeSelector" .Values.agent.nodeSelector "tolerations" $tolerations)) }}
{{- end }}
