{{- define "clusterlore.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "clusterlore.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "clusterlore.labels" -}}
{{ include "clusterlore.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "clusterlore.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "clusterlore.fullname" .) -}}
{{- end }}

{{- define "clusterlore.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Cluster-wide names hold the namespace: releases in several namespaces may have one name. */ -}}
{{- define "clusterlore.clusterRole" -}}
{{ .Release.Namespace }}:{{ include "clusterlore.fullname" . }}
{{- end }}

{{- define "clusterlore.scheme" -}}
{{ ternary "https" "http" (ne .Values.tls.existingSecret "") }}
{{- end }}

{{- /* A quantity (1500m, 1.5Gi, 1e9) as a number. */ -}}
{{- define "clusterlore.quantity" -}}
{{- $text := toString . -}}
{{- if regexMatch "[eE][+]?[0-9]+$" $text -}}
{{- printf "%f" (float64 $text) -}}
{{- else -}}
{{- $number := regexFind "^[0-9.]+" $text -}}
{{- $units := dict "" 1.0 "n" 0.000000001 "u" 0.000001 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- $units = merge $units (dict "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0) -}}
{{- printf "%f" (mulf (float64 $number) (get $units (trimPrefix $number $text))) -}}
{{- end -}}
{{- end }}

{{- /* What values.schema.json cannot say, since it is about two values at once. */ -}}
{{- define "clusterlore.check" -}}
{{- $v := .Values -}}
{{- if and (gt (int $v.replicas) 1) (not $v.postgres.existingSecret) -}}
{{- fail (printf "replicas: %d needs Postgres, since a SQLite file has one writer; set postgres.existingSecret, or replicas: 1" (int $v.replicas)) -}}
{{- end -}}
{{- if and (eq $v.auth.mode "token") (not $v.auth.tokens.existingSecret) -}}
{{- fail "auth.mode: token needs a Secret with the file of tokens; make the file with \"clusterlore token\", and set auth.tokens.existingSecret" -}}
{{- end -}}
{{- if and (eq $v.auth.mode "token") (or $v.auth.audiences $v.auth.oidcIssuers) -}}
{{- fail "auth.audiences and auth.oidcIssuers are about Kubernetes tokens; leave them out, or set auth.mode: kubernetes" -}}
{{- end -}}
{{- if ne (empty $v.auth.oidcIssuers) (empty $v.auth.publicUrl) -}}
{{- fail "auth.oidcIssuers and auth.publicUrl are told to clients together; set both or neither" -}}
{{- end -}}
{{- if and (not $v.serviceAccount.create) (not $v.serviceAccount.name) -}}
{{- fail "serviceAccount.create: false needs serviceAccount.name; the default service account of a namespace should have no rights" -}}
{{- end -}}
{{- if and (has "*" $v.rbac.customApiGroups) (not $v.rbac.read.secrets) -}}
{{- fail "rbac.customApiGroups: [\"*\"] would include Secrets; name the groups, or set rbac.read.secrets: true" -}}
{{- end -}}
{{- if and $v.rbac.customApiGroups (not $v.rbac.read.customResources) -}}
{{- fail "rbac.customApiGroups has no effect while rbac.read.customResources is false; leave one of them out" -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) -}}
{{- fail "ingress.enabled needs ingress.hosts; without a host it would answer for every name" -}}
{{- end -}}
{{- $name := include "clusterlore.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "the Service would be called %q; expected a name that begins with a letter and has small letters, digits and dashes only: take another name for the release, or set fullnameOverride" $name) -}}
{{- end -}}
{{- range $key, $value := include "clusterlore.selector" . | fromYaml -}}
{{- if hasKey ($v.podLabels | default dict) $key -}}
{{- fail (printf "podLabels: by %s the Service finds its pods, and the chart sets it; leave it out" $key) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := include "clusterlore.labels" . | fromYaml -}}
{{- if hasKey ($v.serviceMonitor.labels | default dict) $key -}}
{{- fail (printf "serviceMonitor.labels: %s is set by the chart; leave it out" $key) -}}
{{- end -}}
{{- end -}}
{{- $resources := $v.resources | default dict -}}
{{- range $resource, $limit := $resources.limits -}}
{{- $request := get ($resources.requests | default dict) $resource | default 0 -}}
{{- if gt (float64 (include "clusterlore.quantity" $request)) (float64 (include "clusterlore.quantity" $limit)) -}}
{{- fail (printf "resources: %v of %s are requested, and the limit is %v; raise resources.limits.%s, or lower the request" $request $resource $limit $resource) -}}
{{- end -}}
{{- end -}}
{{- $variables := list "XDG_DATA_HOME" "TMPDIR" "CLUSTERLORE_POSTGRES_URL" -}}
{{- range $v.extraEnv -}}
{{- if has .name $variables -}}
{{- fail (printf "extraEnv: %s is there already, from the chart or a second time; leave it out" .name) -}}
{{- end -}}
{{- $variables = append $variables .name -}}
{{- end -}}
{{- $volumes := list "data" "tmp" "tokens" "tls" -}}
{{- range $v.extraVolumes -}}
{{- if has .name $volumes -}}
{{- fail (printf "extraVolumes: there is a volume %q already, from the chart or a second time; take another name" .name) -}}
{{- end -}}
{{- $volumes = append $volumes .name -}}
{{- end -}}
{{- $paths := list "/data" "/tmp" "/etc/clusterlore/tokens" "/etc/clusterlore/tls" -}}
{{- range $v.extraVolumeMounts -}}
{{- if not (has .name (slice $volumes 4)) -}}
{{- fail (printf "extraVolumeMounts: extraVolumes has no volume %q; add it, or leave the mount out" .name) -}}
{{- end -}}
{{- if has (clean .mountPath) $paths -}}
{{- fail (printf "extraVolumeMounts: something is mounted at %s already, by the chart or a second time; take another path" .mountPath) -}}
{{- end -}}
{{- $paths = append $paths (clean .mountPath) -}}
{{- end -}}
{{- range $v.extraArgs -}}
{{- $flag := regexFind "^--[a-z-]+" . -}}
{{- if has $flag (list "--listen" "--port" "--auth" "--tokens" "--audience" "--oidc-issuer" "--public-url" "--tls-cert" "--tls-key" "--rate" "--max-requests" "--live" "--cluster-name" "--embedder" "--log-format" "--store" "--postgres-url") -}}
{{- fail (printf "extraArgs: %s is set by the chart; use the value that docs/deploy.md names for it" $flag) -}}
{{- end -}}
{{- end -}}
{{- end }}
