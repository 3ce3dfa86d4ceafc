{{/* Where Grafana is reached from outside: as told, or by its way in; empty where neither says. */}}
{{- define "lokikit.grafanaUrl" -}}
{{- $grafana := .Values.grafana }}
{{- $way := dict }}
{{- if $grafana.ingress.enabled }}
{{- $way = dict "scheme" (empty $grafana.ingress.tlsSecret | ternary "http" "https") "host" $grafana.ingress.host }}
{{- else if and $grafana.httpRoute.enabled $grafana.httpRoute.hostnames }}
{{- $way = dict "scheme" "https" "host" (first $grafana.httpRoute.hostnames) }}
{{- end }}
{{- if $grafana.url }}{{ include "lokikit.grafanaOwnUrl" . }}
{{- else if and $way (not (contains "*" $way.host)) }}{{ printf "%s://%s/" $way.scheme $way.host }}
{{- end }}
{{- end }}

{{/* The path of that address, without a slash at its end but for the root. */}}
{{- define "lokikit.grafanaPath" -}}
{{- (urlParse (include "lokikit.grafanaOwnUrl" .)).path | trimSuffix "/" | default "/" }}
{{- end }}

{{/* What Grafana's environment has unless the user's secret says otherwise. */}}
{{- define "lokikit.grafanaDefaults" -}}
GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/lokikit/grafana-password
GF_LOG_MODE: console
GF_SERVER_HTTP_PORT: {{ include "lokikit.setting" (list . "GRAFANA_PORT") | quote }}
# Nothing is fetched, sent or looked for outside: a closed network is one like any other.
GF_ANALYTICS_REPORTING_ENABLED: "false"
GF_ANALYTICS_CHECK_FOR_UPDATES: "false"
GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false"
GF_NEWS_NEWS_FEED_ENABLED: "false"
GF_PLUGINS_PREINSTALL_DISABLED: "true"
GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: "true"
GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: "true"
{{- with include "lokikit.grafanaUrl" . }}
GF_SERVER_ROOT_URL: {{ quote . }}
{{- end }}
{{- if ne (include "lokikit.grafanaPath" .) "/" }}
GF_SERVER_SERVE_FROM_SUB_PATH: "true"
{{- end }}
# What the provisioned files read.
GRAFANA_DASHBOARDS: /etc/grafana/dashboards
LOKI_URL: {{ include "lokikit.lokiUrl" . }}
LOKI_ORG_ID: {{ .Values.tenants.grafana | join "|" | default (include "lokikit.ownTenant" .) | quote }}
{{- end }}
