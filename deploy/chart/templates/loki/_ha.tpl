{{/* What loki/ha.yaml reads from the environment. */}}
{{- define "lokikit.haVariables" -}}
- name: LOKI_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: LOKI_ADDRESS
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: LOKI_PEERS
  value: dns+{{ include "lokikit.name" (list . "loki-headless") }}.{{ .Release.Namespace }}.svc:7946
# No other release's: a namespace has no slash, so no two make one name.
- name: LOKI_RING
  value: {{ printf "%s/%s" .Release.Namespace (include "lokikit.fullname" .) | quote }}
- name: S3_ENDPOINT
  value: {{ .Values.loki.s3.endpoint | quote }}
- name: S3_REGION
  value: {{ .Values.loki.s3.region | quote }}
- name: S3_BUCKET
  value: {{ .Values.loki.s3.bucket | quote }}
- name: S3_INSECURE
  value: {{ .Values.loki.s3.insecure | quote }}
{{- with .Values.loki.s3.existingSecret }}
{{ include "lokikit.secretVariable" (list "S3_ACCESS_KEY_ID" . "access-key-id") }}
{{ include "lokikit.secretVariable" (list "S3_SECRET_ACCESS_KEY" . "secret-access-key") }}
{{- end }}
{{- end }}
