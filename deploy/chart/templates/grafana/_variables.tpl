{{/* Where Grafana is reached from outside: as told, or by its way in; empty where neither says. */}}
{{- define "lokikit.grafanaUrl" -}}
{{- $grafana := .Values.grafana }}
{{- $way := dict }}
{{- if $grafana.ingress.enabled }}
{{- $way = dict "scheme" (empty $grafana.ingress.tlsSecret | ternary "http" "https") "host" $grafana.ingress.host }}
{{- else if and $grafana.httpRoute.enabled $grafana.httpRoute.hostnames }}
{{- $way = dict "scheme" "https" "host" (first $grafana.httpRoute.hostnames) }}
{{- end }}
{{- if $grafana.url }}{{ $grafana.url }}
{{- else if and $way (not (contains "*" $way.host)) }}{{ printf "%s://%s/" $way.scheme $way.host }}
{{- end }}
{{- end }}

{{- define "lokikit.grafanaVariables" -}}
- name: GF_SECURITY_ADMIN_PASSWORD__FILE
  value: /run/secrets/lokikit/grafana-password
- name: GF_LOG_MODE
  value: console
- name: GF_SERVER_HTTP_PORT
  value: {{ include "lokikit.setting" (list . "GRAFANA_PORT") | quote }}
# Nothing is fetched, sent or looked for outside: a closed network is one like any other.
- name: GF_ANALYTICS_REPORTING_ENABLED
  value: "false"
- name: GF_ANALYTICS_CHECK_FOR_UPDATES
  value: "false"
- name: GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES
  value: "false"
- name: GF_NEWS_NEWS_FEED_ENABLED
  value: "false"
- name: GF_PLUGINS_PREINSTALL_DISABLED
  value: "true"
{{- with include "lokikit.grafanaUrl" . }}
- name: GF_SERVER_ROOT_URL
  value: {{ quote . }}
{{- end }}
# What the provisioned files read.
- name: GRAFANA_DASHBOARDS
  value: /etc/grafana/dashboards
- name: LOKI_URL
  value: {{ include "lokikit.lokiUrl" . }}
- name: LOKI_ORG_ID
  value: {{ .Values.tenants.grafana | join "|" | default (include "lokikit.ownTenant" .) | quote }}
{{- include "lokikit.credentials" (list . "LOKI_USER") }}
{{- end }}
