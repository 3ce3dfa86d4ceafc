{{/* What every resource is called: the release, and what it is a part of. */}}
{{- define "lokikit.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride }}
{{- else if contains "lokikit" .Release.Name }}{{ .Release.Name }}
{{- else }}{{ .Release.Name }}-lokikit
{{- end }}
{{- end }}

{{/* Name of a part: (list . "loki"). */}}
{{- define "lokikit.name" -}}
{{- $root := index . 0 }}{{ include "lokikit.fullname" $root | trunc 40 | trimSuffix "-" }}-{{ index . 1 }}
{{- end }}

{{/* Name of a resource of the whole cluster: no namespace has a colon, so no two make one name. */}}
{{- define "lokikit.clusterName" -}}
{{- include "lokikit.namespace" (index . 0) }}:{{ include "lokikit.name" . }}
{{- end }}

{{- define "lokikit.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{/* What selects the pods of a part. It can never change: (list . "loki"). */}}
{{- define "lokikit.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: lokikit
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/*
What a resource of a namespace is called and labelled. `part`: whose it is. `name`: ends its name,
the part where there is none. `namespace`: another than the release's. `labels`: the user's.
*/}}
{{- define "lokikit.metadata" -}}
name: {{ include "lokikit.name" (list .root (.name | default .part)) }}
namespace: {{ .namespace | default (include "lokikit.namespace" .root) | quote }}
labels:
  {{- include "lokikit.labels" . | nindent 2 }}
{{- end }}

{{/* Labels of a resource: those of the chart, over `labels`, over the common ones. */}}
{{- define "lokikit.labels" -}}
{{- $own := include "lokikit.selector" (list .root .part) | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- merge $own (.labels | default dict) (.root.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* Labels of the pods of a part, whose values may add some: (list . "loki" .Values.loki). */}}
{{- define "lokikit.podLabels" -}}
{{- $root := index . 0 }}
{{- $own := include "lokikit.selector" . | fromYaml }}
{{- if eq (index . 1) "grafana" }}
{{- /* It may also ask the Loki of another release, such as the one that this one follows. */}}
{{- $_ := set $own "lokikit/client" "true" }}
{{- end }}
{{- merge $own ((index . 2).podLabels | default dict) ($root.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* Annotations of pods: the user's over ours: (list .Values.loki (dict …)). */}}
{{- define "lokikit.podAnnotations" -}}
{{- with merge dict ((index . 0).podAnnotations | default dict) (index . 1) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* By these a Prometheus without the operator finds a pod: (list . "3100" "/metrics"). */}}
{{- define "lokikit.scraped" -}}
{{- if (index . 0).Values.scrapeAnnotations }}
{{- dict "prometheus.io/scrape" "true" "prometheus.io/port" (index . 1) "prometheus.io/path" (index . 2) | toYaml }}
{{- end }}
{{- end }}

{{/* The kit's .env, as JSON: the one place for versions, ports and limits. */}}
{{- define "lokikit.env" -}}
{{- $found := dict }}
{{- /* A checkout without symbolic links has none of the kit's files, or their names as content. */}}
{{- if not (contains "LOKI_VERSION=" (.Files.Get "files/env")) }}
{{- fail "the files of the kit that this chart links to are missing, as they are in a checkout without symbolic links (Windows, Flux): use the packaged chart, which `make package` writes." }}
{{- end }}
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

{{/* Image and pull policy of a container: (list . .Values.loki.image "LOKI_VERSION"). */}}
{{- define "lokikit.container" -}}
image: {{ include "lokikit.image" . }}
{{- with (index . 0).Values.imagePullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- end }}

{{- define "lokikit.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name") | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The service account of a part: (list . "loki" .Values.loki). */}}
{{- define "lokikit.account" -}}
{{- (index . 2).serviceAccount.name | default (include "lokikit.name" .) }}
{{- end }}

{{- define "lokikit.serviceAccount" -}}
{{- $root := index . 0 }}{{ $part := index . 1 }}{{ $values := index . 2 }}
{{- if $values.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- /* Its own name, or the user's. */}}
  name: {{ include "lokikit.account" . | quote }}
  namespace: {{ include "lokikit.namespace" $root | quote }}
  labels:
    {{- include "lokikit.labels" (dict "root" $root "part" $part) | nindent 4 }}
  {{- with $values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{/* What every pod has: its account, its user, where it may go: (list . "loki" .Values.loki). */}}
{{- define "lokikit.pod" -}}
{{- $root := index . 0 }}{{ $values := index . 2 -}}
serviceAccountName: {{ include "lokikit.account" . | quote }}
enableServiceLinks: false
{{- include "lokikit.pullSecrets" $root }}
{{- include "lokikit.podSecurity" (list $root $values) }}
{{- include "lokikit.placement" $values }}
{{- end }}

{{/* The user of a pod; OpenShift gives one to each namespace: (list . .Values.loki). */}}
{{- define "lokikit.podSecurity" -}}
{{- $context := (index . 1).podSecurityContext | default dict }}
{{- if and (index . 0).Values.openshift (ne (toString $context.runAsUser) "0") }}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}
{{- else if (index . 0).Values.openshift }}
{{- /* SELinux is enforcing there: a container reads the node's logs under this type alone. */}}
{{- $context = merge (deepCopy $context) (dict "seLinuxOptions" (dict "type" "spc_t")) }}
{{- end }}
{{- with $context }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where the pods of a part may go. */}}
{{- define "lokikit.placement" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $ $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ quote . }}
{{- end }}
{{- end }}

{{/* What agents tolerate. */}}
{{- define "lokikit.agentTolerations" -}}
{{- $tolerations := .Values.agent.tolerations | default list }}
{{- if .Values.agent.controlPlane }}
{{- $tolerations = append $tolerations (dict "key" "node-role.kubernetes.io/control-plane" "operator" "Exists" "effect" "NoSchedule") }}
{{- end }}
{{- toYaml $tolerations }}
{{- end }}

{{/* Variables of a container, where the user's take the place of ours: (list "- name: …" .Values.loki). */}}
{{- define "lokikit.variables" -}}
{{- $extra := (index . 1).extraEnv | default list }}
{{- $taken := dict }}
{{- range $extra }}{{ $_ := set $taken .name true }}{{ end }}
{{- $variables := list }}
{{- range index . 0 | fromYamlArray }}
{{- if not (hasKey $taken .name) }}{{ $variables = append $variables . }}{{ end }}
{{- end }}
{{- concat $variables $extra | toYaml }}
{{- end }}

{{/* A Service with one port: `root`, `part`, `name`, `values`, the `setting` of the port, its `target`. */}}
{{- define "lokikit.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "lokikit.metadata" (dict "root" .root "part" .part "name" .name "labels" .values.labels) | nindent 2 }}
  {{- with .values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .values.type }}
  {{- include "lokikit.families" .root | nindent 2 }}
  selector:
    {{- include "lokikit.selector" (list .root .part) | nindent 4 }}
  ports:
    - name: http
      port: {{ include "lokikit.setting" (list .root .setting) }}
      targetPort: {{ .target | default "http" }}
{{- end }}

{{/* A role of the whole cluster, and its binding: `root`, `part`, `account`, `rule`. */}}
{{- define "lokikit.clusterRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "lokikit.clusterName" (list .root .part) }}
  labels:
    {{- include "lokikit.labels" (dict "root" .root "part" .part) | nindent 4 }}
rules:
  - {{- toYaml .rule | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ include "lokikit.clusterName" (list .root .part) }}
  labels:
    {{- include "lokikit.labels" (dict "root" .root "part" .part) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ include "lokikit.clusterName" (list .root .part) }}
subjects:
  - kind: ServiceAccount
    name: {{ .account | quote }}
    namespace: {{ include "lokikit.namespace" .root | quote }}
{{- end }}

{{/* The IP families of a Service. */}}
{{- define "lokikit.families" -}}
{{- with .Values.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
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
{{- else }}http://{{ include "lokikit.name" (list . "loki") }}.{{ include "lokikit.namespace" . }}.svc:{{ include "lokikit.setting" (list . "LOKI_PORT") }}
{{- end }}
{{- end }}

{{/* The tenant of the kit's own pods; empty when there are none. */}}
{{- define "lokikit.ownTenant" -}}
{{- if .Values.tenants.byNamespace }}{{ include "lokikit.namespace" . }}
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
{{- range include "lokikit.scrapers" . | fromJsonArray }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ quote . }}
{{- end }}
{{- end }}

{{/* The namespaces from which metrics may be read, as JSON. */}}
{{- define "lokikit.scrapers" -}}
{{- $operator := .Values.monitoring.enabled | ternary (list .Values.monitoring.namespace) list }}
{{- concat $operator (.Values.networkPolicy.metricsFrom | default list) | uniq | toJson }}
{{- end }}

{{/* An Ingress: `root`, `part`, `values`, and the `path` that leads to the part. */}}
{{- define "lokikit.ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "lokikit.metadata" (dict "root" .root "part" .part "labels" .values.labels) | nindent 2 }}
  {{- with .values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .values.className }}
  ingressClassName: {{ quote . }}
  {{- end }}
  {{- if .values.tlsSecret }}
  tls:
    - hosts: [{{ .values.host | quote }}]
      secretName: {{ .values.tlsSecret | quote }}
  {{- end }}
  rules:
    - host: {{ .values.host | quote }}
      http:
        paths:
          - path: {{ .path }}
            pathType: Prefix
            backend:
              service:
                name: {{ include "lokikit.name" (list .root .part) }}
                port:
                  name: http
{{- end }}

{{/* The storage class of a claim: the cluster's own, none, or that of the name. */}}
{{- define "lokikit.storageClass" -}}
{{- if . }}
storageClassName: {{ eq . "-" | ternary "" . | quote }}
{{- end }}
{{- end }}

{{/* Whether a part trusts certificates, or shows one, to reach an external Loki. */}}
{{- define "lokikit.certificateMounts" -}}
{{- $external := .Values.loki.external }}
{{- if or $external.caCertificate $external.caSecret }}
- name: ca
  mountPath: /etc/lokikit-ca
  readOnly: true
{{- end }}
{{- if $external.clientCertificateSecret }}
- name: client-certificate
  mountPath: /etc/lokikit-client
  readOnly: true
{{- end }}
{{- end }}

{{- define "lokikit.certificateVolumes" -}}
{{- $external := .Values.loki.external }}
{{- if $external.caSecret }}
- name: ca
  secret:
    secretName: {{ quote $external.caSecret }}
{{- else if $external.caCertificate }}
- name: ca
  configMap:
    name: {{ include "lokikit.name" (list . "loki-ca") }}
{{- end }}
{{- with $external.clientCertificateSecret }}
- name: client-certificate
  secret:
    secretName: {{ quote . }}
{{- end }}
{{- end }}

{{/* Rules for what a pod asks beside Loki: names, as namespaces that deny by default need them. */}}
{{- define "lokikit.egressDns" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end }}

{{/* To the API server, which no selector names. */}}
{{- define "lokikit.egressApiServer" -}}
{{- with .Values.networkPolicy.apiServerPorts }}
- ports:
    {{- range . }}
    - port: {{ . }}
    {{- end }}
{{- end }}
{{- end }}

{{/* To Loki: its pods, or whatever host an external one is. */}}
{{- define "lokikit.egressLoki" -}}
{{- if eq .Values.loki.mode "external" }}
{{- $url := urlParse (include "lokikit.externalUrl" .) }}
- ports:
    - port: {{ regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "https" | ternary "443" "80") }}
{{- else }}
- to:
    - podSelector:
        matchLabels:
          {{- include "lokikit.selector" (list . "loki") | nindent 10 }}
  ports:
    - port: http
{{- end }}
{{- end }}
