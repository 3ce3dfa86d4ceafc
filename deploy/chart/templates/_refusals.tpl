{{/* What cannot work, each in one sentence that names the fix. */}}
{{- define "lokikit.refusals" -}}
{{- include "lokikit.checkForms" . }}
{{- $loki := .Values.loki }}
{{- if eq $loki.mode "external" }}
{{- $_ := include "lokikit.externalUrl" . }}
{{- else }}
{{- range $key, $value := omit $loki.external "auth" }}
{{- if $value }}
{{- fail (printf "loki.external.%s is set and loki.mode is %s: set loki.mode=external, or leave the %s out." $key $loki.mode $key) }}
{{- end }}
{{- end }}
{{- if ne $loki.external.auth "none" }}
{{- fail (printf "loki.external.auth is %s and loki.mode is %s: set loki.mode=external, or leave the auth out." $loki.external.auth $loki.mode) }}
{{- end }}
{{- end }}
{{- if ne (eq $loki.external.auth "none") (empty $loki.external.existingSecret) }}
{{- fail (printf "loki.external.auth is %s: set it to basic or bearer, and loki.external.existingSecret to the secret, or neither." $loki.external.auth) }}
{{- end }}
{{- range $key := list "caCertificate" "caSecret" "clientCertificateSecret" }}
{{- if and (get $loki.external $key) (not (hasPrefix "https:" $loki.external.url)) }}
{{- fail (printf "loki.external.%s is for TLS: give loki.external.url with https://." $key) }}
{{- end }}
{{- end }}
{{- if and $loki.external.caCertificate $loki.external.caSecret }}
{{- fail "loki.external.caCertificate and loki.external.caSecret say the same: leave one out." }}
{{- end }}
{{- if and $loki.external.clientCertificateSecret .Values.canary.enabled }}
{{- fail "the canary shows no certificate of its own, as loki.external.clientCertificateSecret asks: set canary.enabled=false." }}
{{- end }}
{{- $stores := dict "s3" (list "endpoint" "bucket") "gcs" (list "bucket") "azure" (list "account" "container") }}
{{- range $store, $keys := $stores }}
{{- $values := get $loki $store }}
{{- $used := and (eq $loki.mode "ha") (eq $loki.objectStore $store) }}
{{- range $key := $keys }}
{{- if and $used (not (get $values $key)) }}
{{- fail (printf "loki.mode=ha keeps its data in %s: set loki.%s.%s." $store $store (join (printf " and loki.%s." $store) $keys)) }}
{{- end }}
{{- end }}
{{- /* On the way to an external Loki, the secret may stay where it is. */}}
{{- range $key := eq $loki.mode "external" | ternary $keys (concat $keys (list "existingSecret" "caCertificate")) }}
{{- if and (not $used) (get $values $key) }}
{{- fail (printf "loki.%s.%s is set and loki.mode is %s, which does not use it: set loki.mode=ha and loki.objectStore=%s, or leave the %s out." $store $key $loki.mode $store $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if contains "/" $loki.s3.endpoint }}
{{- fail (printf "loki.s3.endpoint is %q: write the host alone, with a port if need be, such as s3.eu-central-1.amazonaws.com, and loki.s3.insecure=true for plain HTTP." $loki.s3.endpoint) }}
{{- end }}
{{- if and (eq $loki.s3.sse.type "SSE-KMS") (not $loki.s3.sse.kmsKeyId) }}
{{- fail "loki.s3.sse.type is SSE-KMS: set loki.s3.sse.kmsKeyId." }}
{{- end }}
{{- if and $loki.persistence.existingClaim (ne $loki.mode "single") }}
{{- fail (printf "loki.persistence.existingClaim is one volume and loki.mode is %s: leave the claim out." $loki.mode) }}
{{- end }}
{{- if and $loki.ingress.enabled (eq $loki.mode "external") }}
{{- fail "loki.ingress leads to the chart's own Loki, and loki.mode=external has none: set loki.ingress.enabled=false." }}
{{- end }}
{{- if and $loki.ingress.enabled (not $loki.ingress.host) }}
{{- fail "loki.ingress answers to a name: set loki.ingress.host." }}
{{- end }}
{{- range $part := list "loki" "agent" "grafana" "canary" }}
{{- $account := (index $.Values $part).serviceAccount }}
{{- if not (or $account.create $account.name) }}
{{- fail (printf "%s.serviceAccount.create is false: set %s.serviceAccount.name to the account that is there." $part $part) }}
{{- end }}
{{- end }}
{{- range $key := list "hostPath" "podLogs" }}
{{- $path := index $.Values.agent $key }}
{{- if or (regexMatch `(^|/)[.][.]?(/|$)` $path) (regexMatch "[,*\\[\\]?]" $path) (contains "//" $path) (eq $path "/") }}
{{- fail (printf "agent.%s is %q: write a folder of the node from its root on, without dots, such as %s." $key $path (eq $key "hostPath" | ternary "/var/lib/lokikit" "/var/log/pods")) }}
{{- end }}
{{- end }}
{{- $_ := include "lokikit.grafanaOwnUrl" . }}
{{- if and (ne .Values.grafana.forYours.kind "none") .Values.grafana.enabled }}
{{- fail (printf "grafana.forYours.kind=%s is for a Grafana that is there, and grafana.enabled makes another: set one of them off." .Values.grafana.forYours.kind) }}
{{- end }}
{{- if and (eq .Values.grafana.forYours.kind "operator") (not (.Capabilities.APIVersions.Has "grafana.integreatly.org/v1beta1")) }}
{{- fail "grafana.forYours.kind=operator needs grafana-operator's grafana.integreatly.org/v1beta1, which this cluster does not have: install it, or set grafana.forYours.kind=sidecar (helm template: --api-versions grafana.integreatly.org/v1beta1)." }}
{{- end }}
{{- if and .Values.openshift (not (.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}
{{- fail "openshift=true needs security.openshift.io/v1, which this cluster does not have: set openshift=false (helm template: --api-versions security.openshift.io/v1)." }}
{{- end }}
{{- $labels := dig "metadata" "labels" dict (lookup "v1" "Namespace" "" (include "lokikit.namespace" .)) }}
{{- $enforced := get $labels "pod-security.kubernetes.io/enforce" }}
{{- if has $enforced (list "baseline" "restricted") }}
{{- fail (printf "the namespace %s enforces Pod Security %s, which takes no pod that reads the node's logs, so no agent would run: kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged --overwrite" (include "lokikit.namespace" .) $enforced (include "lokikit.namespace" .)) }}
{{- end }}
{{- $account := lookup "v1" "ServiceAccount" (include "lokikit.namespace" .) (include "lokikit.name" (list . "agent")) }}
{{- $holder := dig "metadata" "annotations" "meta.helm.sh/release-name" .Release.Name $account }}
{{- if ne $holder .Release.Name }}
{{- fail (printf "the release %s has the names that %s would have: set fullnameOverride, or choose another release name." $holder .Release.Name) }}
{{- end }}
{{- if and (eq $loki.mode "ha") (not $loki.persistence.enabled) }}
{{- fail "loki.mode=ha without a volume loses what is not in S3 yet when pods move: leave loki.persistence.enabled on." }}
{{- end }}
{{- if and .Values.tenants.byNamespace $loki.external.tenant }}
{{- fail "tenants.byNamespace names the tenant of each line: leave loki.external.tenant out." }}
{{- end }}
{{- if and .Values.tenants.byNamespace .Values.grafana.enabled (not .Values.tenants.grafana) }}
{{- fail "tenants.byNamespace leaves Grafana without a tenant to read: list namespaces in tenants.grafana, or set grafana.enabled=false." }}
{{- end }}
{{- if and .Values.tenants.byNamespace .Values.canary.enabled .Values.grafana.enabled (not (has (include "lokikit.namespace" .) .Values.tenants.grafana)) }}
{{- fail (printf "the canary's lines belong to the tenant %s, which Grafana does not read: add %s to tenants.grafana, or pipeline-silent fires for ever." (include "lokikit.namespace" .) (include "lokikit.namespace" .)) }}
{{- end }}
{{- if and .Values.tenants.grafana (not .Values.tenants.byNamespace) }}
{{- fail "tenants.grafana names tenants and there are none: set tenants.byNamespace=true." }}
{{- end }}
{{- range $way := list "ingress" "httpRoute" }}
{{- if and (index $.Values.grafana $way).enabled (not $.Values.grafana.enabled) }}
{{- fail (printf "grafana.%s leads to Grafana, which is off: set grafana.enabled=true, or the way off." $way) }}
{{- end }}
{{- end }}
{{- if and .Values.grafana.ingress.enabled (not .Values.grafana.ingress.host) }}
{{- fail "grafana.ingress answers to a name: set grafana.ingress.host." }}
{{- end }}
{{- if and .Values.grafana.httpRoute.enabled (not .Values.grafana.httpRoute.parentRefs) }}
{{- fail "grafana.httpRoute hangs on a gateway: set grafana.httpRoute.parentRefs." }}
{{- end }}
{{- if and .Values.monitoring.enabled (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) }}
{{- fail "monitoring.enabled needs the Prometheus operator's monitoring.coreos.com/v1, which this cluster does not have: install it, or set monitoring.enabled=false (helm template: --api-versions monitoring.coreos.com/v1)." }}
{{- end }}
{{- if and .Values.grafana.httpRoute.enabled (not (.Capabilities.APIVersions.Has "gateway.networking.k8s.io/v1")) }}
{{- fail "grafana.httpRoute.enabled needs the Gateway API's gateway.networking.k8s.io/v1, which this cluster does not have: install it, or use grafana.ingress (helm template: --api-versions gateway.networking.k8s.io/v1)." }}
{{- end }}
{{- if and .Values.canary.enabled (not (or .Values.registry .Values.canary.image.registry)) }}
{{- fail "no public registry has the canary's image: build it, push it to yours, and set canary.image.registry." }}
{{- end }}
{{- with .Values.retention }}
{{- $hours := regexFind "^[0-9]+" . | int64 | mul (get (dict "h" 1 "d" 24 "w" 168) (regexFind "[hdw]$" .) | int64) }}
{{- if or (not (regexMatch "^[0-9]+[hdw]$" .)) (lt $hours 24) }}
{{- fail (printf "retention is %q, and Loki keeps lines for a day or longer: write hours, days or weeks from 24h on, such as 168h, 7d or 1w." .) }}
{{- end }}
{{- end }}
{{- with .Values.agent.storageLimit }}
{{- if not (regexMatch "^[0-9]+[KMG]$" .) }}
{{- $fix := regexMatch "^[0-9]+[KMG]i$" . | ternary (trimSuffix "i" .) "a whole number with K, M or G, such as 5G" }}
{{- fail (printf "agent.storageLimit is %q, which is not Fluent Bit's form: write %s." . $fix) }}
{{- end }}
{{- end }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) }}
{{- fail (printf "the release name %s cannot name a service: choose one of letters, digits and dashes that begins with a letter." .Release.Name) }}
{{- end }}
{{- if gt (len .Release.Name) 40 }}
{{- fail (printf "the release name %s is longer than 40 characters: choose a shorter one." .Release.Name) }}
{{- end }}
{{- range $part := list "loki" "grafana" }}
{{- $_ := include "lokikit.bytes" (list (printf "%s.persistence.size" $part) (index $.Values $part).persistence.size) }}
{{- end }}
{{- include "lokikit.frozen" . }}
{{- include "lokikit.frozenClaim" . }}
{{- include "lokikit.frozenFolders" . }}
{{- end }}

{{/* The address of Grafana, where the user names one. Whatever asks for it is told what is wrong with it. */}}
{{- define "lokikit.grafanaOwnUrl" -}}
{{- with .Values.grafana.url }}
{{- if not (regexMatch `^https?://[^/:@?#\s]+(:[0-9]+)?(/[^?#\s]*)?$` .) }}
{{- fail (printf "grafana.url is %q: write it with its scheme, such as https://grafana.example/ or https://example.com/grafana/." .) }}
{{- end }}
{{- . }}
{{- end }}
{{- end }}

{{/* Where an external Loki is. Whatever asks for it is told what is wrong with it. */}}
{{- define "lokikit.externalUrl" -}}
{{- $url := .Values.loki.external.url }}
{{- if not $url }}
{{- fail "loki.mode=external needs an address: set loki.external.url, such as https://loki.example:443." }}
{{- end }}
{{- if not (regexMatch `^https?://([^/:@?#\s]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?(/[^?#\s]*)?$` $url) }}
{{- fail (printf "loki.external.url is %q: write scheme, host and port, with a path if there is one, such as https://loki.example:443; credentials go into the secret of loki.external.existingSecret." $url) }}
{{- end }}
{{- trimSuffix "/" $url }}
{{- end }}

{{/* The volumes of a StatefulSet cannot change: said here, before the API server says it worse. */}}
{{- define "lokikit.frozen" -}}
{{- if ne .Values.loki.mode "external" }}
{{- $name := include "lokikit.name" (list . "loki") }}
{{- with (lookup "apps/v1" "StatefulSet" (include "lokikit.namespace" .) $name) }}
{{- $claims := .spec.volumeClaimTemplates | default list }}
{{- $values := $.Values.loki.persistence }}
{{- if ne (gt (len $claims) 0) (and $values.enabled (empty $values.existingClaim)) }}
{{- fail (printf "loki.persistence.enabled cannot change on an installed release: set it to %t as it was." (gt (len $claims) 0)) }}
{{- end }}
{{- range $claims }}
{{- $size := .spec.resources.requests.storage }}
{{- /* The API server holds 1024Gi as 1Ti. */}}
{{- if ne (include "lokikit.bytes" (list "the size" $size)) (include "lokikit.bytes" (list "loki.persistence.size" $values.size)) }}
{{- fail (printf "loki.persistence.size cannot change on an installed release: set it to %s as it was, or see \"A larger volume\" in docs/kubernetes.md." $size) }}
{{- end }}
{{- $class := hasKey .spec "storageClassName" | ternary (.spec.storageClassName | default "-") "" }}
{{- if ne $class $values.storageClass }}
{{- fail (printf "loki.persistence.storageClass cannot change on an installed release: set it to %q as it was." $class) }}
{{- end }}
{{- $metadata := .metadata }}
{{- range $key := list "labels" "annotations" }}
{{- if ne (toJson (get $metadata $key | default dict)) (toJson (get $values $key | default dict)) }}
{{- fail (printf "loki.persistence.%s cannot change on an installed release: set them to %s as they were." $key (toJson (get $metadata $key | default dict))) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Nor can the volume of Grafana, but that it grows where the storage class lets it. */}}
{{- define "lokikit.frozenClaim" -}}
{{- $values := .Values.grafana.persistence }}
{{- if and .Values.grafana.enabled $values.enabled }}
{{- with (lookup "v1" "PersistentVolumeClaim" (include "lokikit.namespace" .) (include "lokikit.name" (list . "grafana"))) }}
{{- $size := .spec.resources.requests.storage }}
{{- if lt (include "lokikit.bytes" (list "grafana.persistence.size" $values.size) | int64) (include "lokikit.bytes" (list "the size" $size) | int64) }}
{{- fail (printf "grafana.persistence.size cannot shrink: the volume that is there has %s, so set it to that or more." $size) }}
{{- end }}
{{- $class := .spec.storageClassName | default "" }}
{{- if and $values.storageClass (ne $class $values.storageClass) }}
{{- fail (printf "grafana.persistence.storageClass cannot change on the volume that is there: set it to %q as it was." $class) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What Grafana or an agent has kept would be left behind, without a word. */}}
{{- define "lokikit.frozenFolders" -}}
{{- $namespace := include "lokikit.namespace" . }}
{{- with lookup "apps/v1" "Deployment" $namespace (include "lokikit.name" (list . "grafana")) }}
{{- $claimed := false }}
{{- range .spec.template.spec.volumes }}
{{- if eq .name "data" }}{{ $claimed = hasKey . "persistentVolumeClaim" }}{{ end }}
{{- end }}
{{- if and $claimed $.Values.grafana.enabled (not $.Values.grafana.persistence.enabled) }}
{{- fail "grafana.persistence.enabled cannot be taken off an installed release without its users and their dashboards: leave it on, or delete the Deployment of Grafana first if they may go." }}
{{- end }}
{{- end }}
{{- with lookup "apps/v1" "DaemonSet" $namespace (include "lokikit.name" (list . "agent")) }}
{{- $wanted := printf "%s/%s/%s" $.Values.agent.hostPath $namespace $.Release.Name }}
{{- range .spec.template.spec.volumes }}
{{- if and (eq .name "state") (ne .hostPath.path $wanted) }}
{{- $before := .hostPath.path | trimSuffix (printf "/%s/%s" $namespace $.Release.Name) }}
{{- fail (printf "agent.hostPath cannot change on an installed release: what waits there would stay behind, and every file be sent again. Set it to %s as it was, or delete the DaemonSet of the agent first." $before) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
