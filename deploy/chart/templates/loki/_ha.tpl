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
  value: dns+{{ include "lokikit.name" (list . "loki-headless") }}.{{ include "lokikit.namespace" . }}.svc:7946
# No other release's: a namespace has no slash, so no two make one name.
- name: LOKI_RING
  value: {{ printf "%s/%s" (include "lokikit.namespace" .) (include "lokikit.fullname" .) | quote }}
{{- if eq .Values.loki.objectStore "azure" }}
{{- with .Values.loki.azure.existingSecret }}
{{ include "lokikit.secretVariable" (list "AZURE_ACCOUNT_KEY" . "account-key") }}
{{- end }}
{{- else if eq .Values.loki.objectStore "s3" }}
- name: S3_ENDPOINT
  value: {{ .Values.loki.s3.endpoint | quote }}
- name: S3_REGION
  value: {{ .Values.loki.s3.region | quote }}
- name: S3_BUCKET
  value: {{ .Values.loki.s3.bucket | quote }}
- name: S3_INSECURE
  value: {{ .Values.loki.s3.insecure | quote }}
{{- with .Values.loki.s3.existingSecret }}
{{ include "lokikit.secretVariable" (list "S3_ACCESS_KEY_ID" . $.Values.loki.s3.accessKeyIdKey) }}
{{ include "lokikit.secretVariable" (list "S3_SECRET_ACCESS_KEY" . $.Values.loki.s3.secretAccessKeyKey) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Replicas are on nodes of their own: always, or where there are enough. */}}
{{- define "lokikit.apart" -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "lokikit.selector" (list . "loki") | fromYaml)) }}
{{- if eq .Values.loki.antiAffinity "hard" }}
{{- dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term) | toYaml }}
{{- else }}
{{- dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $term)) | toYaml }}
{{- end }}
{{- end }}
