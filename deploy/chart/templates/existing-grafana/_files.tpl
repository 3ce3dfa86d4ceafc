{{/* Metadata of what is made for a Grafana that is there: (list . "dashboards" labels annotations). */}}
{{- define "lokikit.forYours" -}}
{{- $root := index . 0 -}}
{{ include "lokikit.metadata" (dict "root" $root "part" "grafana" "name" (printf "for-grafana-%s" (index . 1)) "namespace" $root.Values.grafana.forYours.namespace "labels" (index . 2)) }}
{{- end }}

{{/* The data source, with the addresses that the kit's own Grafana has in its environment. */}}
{{- define "lokikit.yourDatasource" -}}
{{- $text := include "lokikit.provisioned" (list . "files/provisioning/datasources/loki.yaml") }}
{{- $tenant := .Values.tenants.grafana | join "|" | default (include "lokikit.ownTenant" .) }}
{{- $text | replace "$LOKI_URL" (include "lokikit.lokiUrl" .) | replace "$LOKI_ORG_ID" $tenant | replace "isDefault: true" "isDefault: false" }}
{{- end }}

{{/* The rules, each with the fields that grafana-operator asks for. */}}
{{- define "lokikit.yourRules" -}}
{{- range (include "lokikit.provisioned" (list . "files/provisioning/alerting/rules.yaml") | fromYaml).groups }}
{{- $rules := list }}
{{- range .rules }}
{{- $rule := omit . "annotations" "noDataState" }}
{{- $annotations := .annotations | default dict }}
{{- $_ := set $rule "annotations" (omit $annotations "__dashboardUid__" "__panelId__") }}
{{- with $annotations.__dashboardUid__ }}
{{- $_ := set $rule "dashboardUid" . }}
{{- end }}
{{- with $annotations.__panelId__ }}
{{- $_ := set $rule "panelId" (int .) }}
{{- end }}
{{- $_ := set $rule "noDataState" (.noDataState | default "NoData") }}
{{- $_ := set $rule "execErrState" (.execErrState | default "Error") }}
{{- $_ := set $rule "for" (.for | default "0s") }}
{{- $rules = append $rules $rule }}
{{- end }}
- {{ dict "name" .name "interval" .interval "rules" $rules | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}
