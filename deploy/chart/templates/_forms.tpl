{{/* What Kubernetes, Loki and Fluent Bit ask of a text: form -> pattern, length, what to write. */}}
{{- define "lokikit.forms" -}}
{{- $word := "[a-z0-9]([-a-z0-9]*[a-z0-9])?" -}}
{{- $name := printf "%s([.]%s)*" $word $word -}}
{{- $label := "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?" -}}
name: ['^{{ $name }}$', 253, "small letters, digits, dashes and dots"]
class: ['^(-|{{ $name }})$', 253, "the name of a storage class in small letters, or - for none"]
own: ['^[a-z]([-a-z0-9]*[a-z0-9])?$', 40, "small letters, digits and dashes that begin with a letter, 40 at most"]
namespace: ['^{{ $word }}$', 63, "the name of a namespace in small letters, digits and dashes, 63 at most"]
labelKey: ['^({{ $name }}/)?{{ $label }}$', 63, "a key of letters, digits, dashes, dots and underscores, 63 characters at most"]
label: ['^({{ $label }})?$', 63, "letters, digits, dashes, dots and underscores, 63 at most"]
resource: ['^(cpu|memory|ephemeral-storage|hugepages-[0-9A-Za-z]+|{{ $name }}/{{ $label }})$', 253, "a resource by its name, such as cpu, memory or vendor.example/gpu"]
size: ['^[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+|m|[kMGTPE]|[KMGTPE]i)?$', 40, "a number with a unit of Kubernetes, such as 250m or 512Mi"]
host: ['^([*][.])?{{ $name }}$', 253, "a host name in small letters, such as logs.example.com"]
registry: ['^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]*)?$', 253, "a host, with a port and a path if need be, such as registry.example:5000/mirror"]
repository: ['^[a-z0-9]+([._/-]+[a-z0-9]+)*$', 200, "the name of an image without its registry, in small letters"]
tag: ['^([A-Za-z0-9_][A-Za-z0-9_.-]*)?(@?sha256:[0-9a-f]+)?$', 200, "a version, a digest (sha256:…), or both with an @ between them"]
address: ['^([0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$', 45, "an address, such as 0.0.0.0 or ::"]
key: ['^[-._A-Za-z0-9]+$', 253, "letters, digits, dashes, dots and underscores"]
plain: ['^[^\s,;"''`$#{}\\]+$', 253, "a word without spaces, commas, quotes, dollars and braces"]
{{- end }}

{{/* Key of a value -> the form of its text, or of each text in its list. */}}
{{- define "lokikit.formsByKey" -}}
{{- range $form, $keys := dict
  "name" (list "imagePullSecrets" "name" "existingSecret" "existingClaim" "caSecret" "clientCertificateSecret" "tlsSecret" "environmentSecret" "contactsSecret" "className" "priorityClassName")
  "namespace" (list "namespaceOverride" "namespace" "controllerNamespace" "clientNamespaces" "metricsFrom" "grafana")
  "plain" (list "cluster" "endpoint" "region" "bucket" "kmsKeyId" "account" "container" "tenant")
  "key" (list "accessKeyIdKey" "secretAccessKeyKey")
  "host" (list "host" "hostnames")
  "own" (list "fullnameOverride") "class" (list "storageClass") "address" (list "listen")
  "registry" (list "registry") "repository" (list "repository") "tag" (list "tag") }}
{{- range $keys }}
{{ . }}: {{ $form }}
{{- end }}
{{- end }}
{{- end }}

{{/* Key of a mapping whose keys are the user's -> the forms of its keys and of its texts. */}}
{{- define "lokikit.formsOfMappings" -}}
{{- range list "labels" "podLabels" "commonLabels" "nodeSelector" "instanceSelector" }}
{{ . }}: [labelKey, label]
{{- end }}
{{- range list "annotations" "podAnnotations" }}
{{ . }}: [labelKey, ""]
{{- end }}
{{- range list "requests" "limits" }}
{{ . }}: [resource, size]
{{- end }}
{{- end }}

{{/* Refuse what is of another form. What is Kubernetes' own (affinity, volumes) is left to it. */}}
{{- define "lokikit.checkForms" -}}
{{- include "lokikit.checkMapping" (dict "path" "" "value" .Values
  "forms" (include "lokikit.forms" . | fromYaml)
  "byKey" (include "lokikit.formsByKey" . | fromYaml)
  "mappings" (include "lokikit.formsOfMappings" . | fromYaml)) }}
{{- end }}

{{- define "lokikit.checkMapping" -}}
{{- range $key, $value := .value }}
{{- $path := printf "%s.%s" $.path $key | trimPrefix "." }}
{{- if hasKey $.mappings $key }}
{{- $forms := get $.mappings $key }}
{{- range $name, $text := $value }}
{{- include "lokikit.checkText" (list $.forms (index $forms 0) $path $name) }}
{{- include "lokikit.checkText" (list $.forms (index $forms 1) (printf "%s.%s" $path $name) $text) }}
{{- end }}
{{- else if kindIs "map" $value }}
{{- if not (has $key (list "affinity" "config" "overrides" "podSecurityContext" "securityContext" "extraDashboards" "extraInputs" "global")) }}
{{- include "lokikit.checkMapping" (dict "path" $path "value" $value "forms" $.forms "byKey" $.byKey "mappings" $.mappings) }}
{{- end }}
{{- else if and $value (hasKey $.byKey $key) }}
{{- range kindIs "slice" $value | ternary $value (list $value) }}
{{- include "lokikit.checkText" (list $.forms (get $.byKey $key) $path (kindIs "map" . | ternary . (dict "name" .)).name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Refuse a text of another form: (list forms form path text). */}}
{{- define "lokikit.checkText" -}}
{{- $text := index . 3 }}
{{- if and (index . 1) (kindIs "string" $text) }}
{{- $form := get (index . 0) (index . 1) }}
{{- $length := len $text }}
{{- if eq (index . 1) "labelKey" }}{{ $length = splitList "/" $text | last | len }}{{ end }}
{{- if or (not (regexMatch (index $form 0) $text)) (gt $length (index $form 1 | int)) }}
{{- fail (printf "%s has %q: write %s." (index . 2) (trunc 60 $text) (index $form 2)) }}
{{- end }}
{{- end }}
{{- end }}
