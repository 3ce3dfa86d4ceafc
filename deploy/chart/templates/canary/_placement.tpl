{{/* Of a pod whose lines an agent is to find: where agents are. Their priority is theirs alone. */}}
{{- define "lokikit.besideAgents" -}}
{{- include "lokikit.placement" (list . (dict "nodeSelector" .Values.agent.nodeSelector)) }}
{{- include "lokikit.agentTolerations" . }}
{{- end }}
