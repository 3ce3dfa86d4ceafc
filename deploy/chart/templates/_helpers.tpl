{{/* What every resource is called: the release, and what it is a part of. */}}
{{- define "lokikit.fullname" -}}
{{- if contains "lokikit" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-lokikit{{ end }}
{{- end }}

{{/* Name of a part: (list . "loki"). */}}
{{- define "lokikit.name" -}}
{{- $root := index . 0 }}{{ include "lokikit.fullname" $root | trunc 40 | trimSuffix "-" }}-{{ index . 1 }}
{{- end }}

{{/* What selects the pods of a part. It can never change: (list . "loki"). */}}
{{- define "lokikit.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: lokikit
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of a resource: (list . "loki"). */}}
{{- define "lokikit.labels" -}}
{{- $root := index . 0 -}}
{{ include "lokikit.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The kit's .env, as JSON: the one place for versions, ports and limits. */}}
{{- define "lokikit.env" -}}
{{- $found := dict }}
{{- range .Files.Lines "files/env" }}
{{- if regexMatch "^[A-Z_]+=" . }}
{{- $_ := set $found (regexFind "^[A-Z_]+" .) (regexReplaceAll "^[A-Z_]+=" . "") }}
{{- end }}
{{- end }}
{{- $found | toJson }}
{{- end }}

{{/* One value of it: (list . "LOKI_PORT"). */}}
{{- define "lokikit.setting" -}}
{{- index (include "lokikit.env" (index . 0) | fromJson) (index . 1) }}
{{- end }}

{{/* An image, its tag a version, a digest or both: (list . .Values.loki.image "LOKI_VERSION"). */}}
{{- define "lokikit.image" -}}
{{- $root := index . 0 }}{{ $image := index . 1 }}{{ $env := include "lokikit.env" $root | fromJson -}}
{{- $tag := $image.tag | default (index $env (index . 2)) -}}
{{ $image.registry | default $root.Values.registry | default $env.REGISTRY | trimSuffix "/" }}/{{ $image.repository }}{{ hasPrefix "sha256:" $tag | ternary "@" ":" }}{{ $tag }}
{{- end }}

{{- define "lokikit.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ quote . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where pods may go: (list . .Values.loki). */}}
{{- define "lokikit.placement" -}}
{{- $root := index . 0 }}{{ $part := index . 1 }}
{{- with $part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.priorityClassName }}
priorityClassName: {{ quote . }}
{{- end }}
{{- end }}

{{/* What agents tolerate, and who is to be where they are. */}}
{{- define "lokikit.agentTolerations" -}}
{{- $tolerations := .Values.agent.tolerations | default list }}
{{- if .Values.agent.controlPlane }}
{{- $tolerations = append $tolerations (dict "key" "node-role.kubernetes.io/control-plane" "operator" "Exists" "effect" "NoSchedule") }}
{{- end }}
{{- include "lokikit.placement" (list . (dict "tolerations" $tolerations)) }}
{{- end }}

{{/* Of a pod that meets Pod Security `restricted`: its user. */}}
{{- define "lokikit.restrictedPod" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "lokikit.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Bytes of a quantity as Kubernetes reads it: (list "loki.persistence.size" "1.5Gi"). */}}
{{- define "lokikit.bytes" -}}
{{- $said := index . 1 }}
{{- if not (kindIs "string" $said) }}{{ $said = int64 $said | toString }}{{ end }}
{{- $number := regexFind `^[0-9]+([.][0-9]+)?([eE][0-9]+)?` $said }}
{{- $factors := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
{{- $unit := trimPrefix $number $said }}
{{- if not (and $number (hasKey $factors $unit)) }}
{{- fail (printf "%s is %q, which is no size: write a number with a unit of Kubernetes, such as 20Gi." (index . 0) $said) }}
{{- end }}
{{- mulf (float64 $number) (index $factors $unit) | int64 }}
{{- end }}

{{/* Tenths of the memory limit, in MiB: (list "loki.resources" .Values.loki.resources 9). */}}
{{- define "lokikit.memoryShare" -}}
{{- with dig "limits" "memory" "" (index . 1 | default dict) }}
{{- $bytes := include "lokikit.bytes" (list (printf "%s.limits.memory" (index $ 0)) .) | int64 }}
{{- with div (mul $bytes (index $ 2)) 10485760 }}{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- define "lokikit.lokiUrl" -}}
{{- if eq .Values.loki.mode "external" }}{{ include "lokikit.externalUrl" . }}
{{- else }}http://{{ include "lokikit.name" (list . "loki") }}.{{ .Release.Namespace }}.svc:{{ include "lokikit.setting" (list . "LOKI_PORT") }}
{{- end }}
{{- end }}

{{/* The tenant of the kit's own pods; empty when there are none. */}}
{{- define "lokikit.ownTenant" -}}
{{- if .Values.tenants.byNamespace }}{{ .Release.Namespace }}
{{- else if eq .Values.loki.mode "external" }}{{ .Values.loki.external.tenant }}
{{- end }}
{{- end }}

{{/* Variables with the credentials of an external Loki: (list . "LOKI_USER"). */}}
{{- define "lokikit.credentials" -}}
{{- $root := index . 0 }}
{{- $external := $root.Values.loki.external }}
{{- if eq $external.auth "basic" }}
{{ include "lokikit.secretVariable" (list (index . 1) $external.existingSecret "username") }}
{{ include "lokikit.secretVariable" (list "LOKI_PASSWORD" $external.existingSecret "password") }}
{{- else if eq $external.auth "bearer" }}
{{ include "lokikit.secretVariable" (list "LOKI_BEARER_TOKEN" $external.existingSecret "token") }}
{{- end }}
{{- end }}

{{/* A variable from a secret: (list "NAME" "secret" "key"). */}}
{{- define "lokikit.secretVariable" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 | quote }}
      key: {{ index . 2 }}
{{- end }}

{{/* Annotation of the pipeline's own pods: what they print does not go through it. */}}
{{- define "lokikit.unshipped" -}}
fluentbit.io/exclude: "true"
{{- end }}

{{/* Key of a config map for a file of a folder, which may be in a folder of it. */}}
{{- define "lokikit.fileKey" -}}
{{- trimPrefix (index . 1) (index . 0) | replace "/" "__" }}
{{- end }}

{{/* Where metrics are read from, in a network policy. */}}
{{- define "lokikit.prometheus" -}}
{{- if .Values.monitoring.enabled }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .Values.monitoring.namespace | quote }}
{{- end }}
{{- end }}
