{{/*
Loki's configuration: the kit's own file, over it what the mode, the store and the tenants need, and
over that the user's.
*/}}
{{- define "lokikit.lokiConfig" -}}
{{- $loki := .Values.loki }}
{{- $over := list }}
{{- if eq $loki.mode "ha" }}
{{- $over = append $over (.Files.Get "files/loki/ha.yaml" | fromYaml) }}
{{- $over = append $over (include "lokikit.objectStore" . | fromYaml) }}
{{- end }}
{{- if .Values.tenants.byNamespace }}
{{- $over = append $over (.Files.Get "files/loki/tenants.yaml" | fromYaml) }}
{{- end }}
{{- if $loki.overrides }}
{{- $over = append $over (dict "runtime_config" (dict "file" "/etc/loki/overrides.yaml")) }}
{{- end }}
{{- with $loki.config }}
{{- $over = append $over . }}
{{- end }}
{{- $text := .Files.Get "files/loki/loki.yaml" }}
{{- if $over }}
{{- $config := fromYaml $text }}
{{- range $over }}
{{- $config = mergeOverwrite $config (deepCopy .) }}
{{- end }}
{{- if and (eq $loki.mode "ha") (ne $loki.objectStore "s3") }}
{{- $_ := unset $config.storage_config.object_store "s3" }}
{{- end }}
{{- toYaml $config }}
{{- else }}
{{- $text }}
{{- end }}
{{- end }}

{{/* Its files, one key each. */}}
{{- define "lokikit.lokiFiles" -}}
loki.yaml: |
  {{- include "lokikit.lokiConfig" . | nindent 2 }}
{{- with .Values.loki.overrides }}
overrides.yaml: |
  {{- dict "overrides" . | toYaml | nindent 2 }}
{{- end }}
{{- end }}

{{/* What loki/ha.yaml says of S3, where the store differs. */}}
{{- define "lokikit.objectStore" -}}
{{- $loki := .Values.loki }}
{{- if eq $loki.objectStore "s3" }}
{{- $s3 := dict }}
{{- with $loki.s3.sse.type }}
{{- $_ := set $s3 "sse" (dict "type" . "kms_key_id" $loki.s3.sse.kmsKeyId) }}
{{- end }}
{{- if $loki.s3.caCertificate }}
{{- $_ := set $s3 "http" (dict "tls_ca_path" "/etc/lokikit-ca/ca.crt") }}
{{- end }}
{{- if $s3 }}
{{- dict "storage_config" (dict "object_store" (dict "s3" $s3)) | toYaml }}
{{- end }}
{{- else }}
{{- $base := .Files.Get "files/loki/ha.yaml" | fromYaml }}
{{- $period := first $base.schema_config.configs }}
{{- $store := dict "gcs" (dict "bucket_name" $loki.gcs.bucket) }}
{{- if eq $loki.objectStore "azure" }}
{{- $azure := dict "account_name" $loki.azure.account "container_name" $loki.azure.container }}
{{- if $loki.azure.existingSecret }}
{{- $_ := set $azure "account_key" "${AZURE_ACCOUNT_KEY}" }}
{{- end }}
{{- $store = dict "azure" $azure }}
{{- end }}
schema_config:
  configs:
    - {{- set $period "object_store" $loki.objectStore | toYaml | nindent 6 }}
storage_config:
  object_store:
    {{- toYaml $store | nindent 4 }}
compactor:
  delete_request_store: {{ $loki.objectStore }}
{{- end }}
{{- end }}
