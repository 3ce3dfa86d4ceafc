{{/* What Grafana provisions, one key a file: its folders are made again by the mount. */}}
{{- define "lokikit.grafanaFiles" -}}
{{- range $path, $_ := .Files.Glob "files/provisioning/*/*.yaml" }}
{{ include "lokikit.fileKey" (list $path "files/provisioning/") }}: |
  {{- include "lokikit.provisioned" (list $ $path) | nindent 2 }}
{{- end }}
{{- with .Values.grafana.extraDatasources }}
datasources__extra.yaml: |
  {{- dict "apiVersion" 1 "datasources" . | toYaml | nindent 2 }}
{{- end }}
{{- end }}

{{/* The dashboards, the kit's and the user's: file name -> JSON. */}}
{{- define "lokikit.dashboards" -}}
{{- (.Files.Glob "files/dashboards/*.json").AsConfig }}
{{- with .Values.grafana.extraDashboards }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One of them: as it stands, but for what this installation knows better. */}}
{{- define "lokikit.provisioned" -}}
{{- $root := index . 0 }}
{{- $text := $root.Files.Get (index . 1) }}
{{- $found := fromYaml $text }}
{{- if and (hasKey $found "datasources") (eq $root.Values.loki.mode "external") }}
{{- toYaml (include "lokikit.withCredentials" (list $root $found) | fromYaml) }}
{{- else if and (hasKey $found "groups") (not (or $root.Values.canary.enabled (include "lokikit.heartbeats" $root))) }}
{{- toYaml (include "lokikit.withoutCanary" $found | fromYaml) }}
{{- else }}
{{- $text }}
{{- end }}
{{- end }}

{{/* The data source of an external Loki. */}}
{{- define "lokikit.withCredentials" -}}
{{- $root := index . 0 }}{{ $file := index . 1 }}
{{- range $file.datasources }}
{{- $json := .jsonData | default dict }}
{{- $secure := .secureJsonData | default dict }}
{{- if eq $root.Values.loki.external.auth "basic" }}
{{- $_ := set . "basicAuth" true }}
{{- $_ := set . "basicAuthUser" "$LOKI_USER" }}
{{- $_ := set $secure "basicAuthPassword" "$LOKI_PASSWORD" }}
{{- else if eq $root.Values.loki.external.auth "bearer" }}
{{- $_ := set $json "httpHeaderName2" "Authorization" }}
{{- $_ := set $secure "httpHeaderValue2" "Bearer $LOKI_BEARER_TOKEN" }}
{{- end }}
{{- if $root.Values.loki.external.caCertificate }}
{{- $_ := set $json "tlsAuthWithCACert" true }}
{{- $_ := set $secure "tlsCACert" $root.Values.loki.external.caCertificate }}
{{- else if $root.Values.loki.external.caSecret }}
{{- $_ := set $json "tlsAuthWithCACert" true }}
{{- $_ := set $secure "tlsCACert" "$__file{/etc/lokikit-ca/ca.crt}" }}
{{- end }}
{{- if $root.Values.loki.external.clientCertificateSecret }}
{{- $_ := set $json "tlsAuth" true }}
{{- $_ := set $secure "tlsClientCert" "$__file{/etc/lokikit-client/tls.crt}" }}
{{- $_ := set $secure "tlsClientKey" "$__file{/etc/lokikit-client/tls.key}" }}
{{- end }}
{{- $_ := set . "jsonData" $json }}
{{- $_ := set . "secureJsonData" $secure }}
{{- end }}
{{- toYaml $file }}
{{- end }}

{{/* Where neither a canary nor the agents write numbered lines, their silence says nothing. */}}
{{- define "lokikit.withoutCanary" -}}
{{- range .groups }}
{{- range .rules }}
{{- if eq .uid "pipeline-silent" }}
{{- $_ := set . "isPaused" true }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml . }}
{{- end }}
