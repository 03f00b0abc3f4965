{{/* What the objects are called and labelled. */}}

{{- define "anwen.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Called with (dict "root" $ "component" "web"). */}}
{{- define "anwen.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "anwen.labels" -}}
{{ include "anwen.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Called with (dict "root" $ "name" "web"). */}}
{{- define "anwen.image" -}}
{{- $image := .root.Values.image -}}
{{- $tag := default .root.Chart.AppVersion $image.tag -}}
{{- $suffix := default "" .suffix -}}
{{- if $image.registry -}}
{{- printf "%s/%s/%s:%s%s" $image.registry $image.repository .name $tag $suffix -}}
{{- else -}}
{{- printf "%s/%s:%s%s" $image.repository .name $tag $suffix -}}
{{- end -}}
{{- end -}}

{{- define "anwen.secretName" -}}
{{- default (printf "%s-secrets" (include "anwen.fullname" .)) .Values.secrets.existingSecret -}}
{{- end -}}
