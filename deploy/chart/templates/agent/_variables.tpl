{{/* What the agent's files read from the environment. */}}
{{- define "lokikit.agentVariables" -}}
{{- $url := urlParse (include "lokikit.lokiUrl" .) }}
{{- $host := regexReplaceAll ":[0-9]+$" $url.host "" }}
{{- $tls := eq $url.scheme "https" -}}
- name: LOKI_HOST
  value: {{ quote $host }}
- name: LOKI_PORT
  value: {{ regexFind "[0-9]+$" (trimPrefix $host $url.host) | default ($tls | ternary "443" "80") | quote }}
- name: LOKI_TLS
  value: {{ $tls | ternary "on" "off" | quote }}
{{- with trimSuffix "/" $url.path }}
- name: LOKI_PATH
  value: {{ quote . }}
{{- end }}
- name: LOKI_TENANT
  value: {{ include "lokikit.ownTenant" . | quote }}
{{- if .Values.tenants.byNamespace }}
# The field of each line that names its tenant.
- name: LOKI_TENANT_KEY
  value: $namespace
{{- end }}
{{- include "lokikit.credentials" (list . "LOKI_USER") }}
{{- if or .Values.loki.external.caCertificate .Values.loki.external.caSecret }}
- name: LOKI_CA_FILE
  value: /etc/lokikit-ca/ca.crt
{{- end }}
{{- if .Values.loki.external.clientCertificateSecret }}
- name: LOKI_CERT_FILE
  value: /etc/lokikit-client/tls.crt
- name: LOKI_KEY_FILE
  value: /etc/lokikit-client/tls.key
{{- end }}
- name: NAMESPACE
  value: {{ include "lokikit.namespace" . | quote }}
- name: CLUSTER
  value: {{ .Values.cluster | quote }}
- name: FLUENTBIT_BIND
  value: {{ .Values.listen | quote }}
- name: FLUENTBIT_CONTAINERS
  value: {{ .Values.agent.podLogs | quote }}
- name: FLUENTBIT_HTTP_PORT
  value: {{ include "lokikit.setting" (list . "FLUENTBIT_HTTP_PORT") | quote }}
- name: FLUENTBIT_ADMIN_PORT
  value: {{ include "lokikit.setting" (list . "FLUENTBIT_ADMIN_PORT") | quote }}
- name: FLUENTBIT_STORAGE
  value: /var/lib/fluent-bit
- name: FLUENTBIT_STORAGE_LIMIT
  value: {{ .Values.agent.storageLimit | default (include "lokikit.setting" (list . "FLUENTBIT_STORAGE_LIMIT")) | quote }}
{{- end }}

{{/* The `host` of the lines of a node, and the `pod` of the agent's own. */}}
{{- define "lokikit.nodeAndPod" -}}
- name: HOSTNAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
