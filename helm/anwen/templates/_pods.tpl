{{/* What the pods of our services have in common. */}}

{{/* Called with (dict "root" $ "component" "web" "service" .Values.web). */}}
{{- define "anwen.podSettings" -}}
serviceAccountName: {{ include "anwen.fullname" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- if .root.Values.topologySpread }}
topologySpreadConstraints:
  {{- $selector := include "anwen.selector" . }}
  {{- range .root.Values.topologySpread }}
  - topologyKey: {{ .topologyKey }}
    maxSkew: {{ .maxSkew }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
  {{- end }}
{{- end }}
{{- with .service.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "anwen.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A roll begins only when the new pod is ready, and the old one goes on until nobody is sent to it any more. */}}
{{- define "anwen.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 150
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
lifecycle:
  preStop:
    sleep: {seconds: 5}
{{- end -}}

{{/* Called with (dict "root" $ "service" .Values.web). */}}
{{- define "anwen.env" -}}
{{- $name := include "anwen.fullname" .root -}}
- name: ANWEN_CONFIG
  value: /etc/anwen/anwen.toml
- name: ANWEN__INTERNAL__SECRET_FILE
  value: /run/secrets/anwen/internal-secret
- name: ANWEN__SERVICES__KNOWLEDGE
  value: http://{{ $name }}-knowledge:8081/
- name: ANWEN__SERVICES__MODEL_RUNTIME
  value: http://{{ $name }}-model-runtime:11434/
- name: ANWEN__SERVICES__SEARCH_PROXY
  value: http://{{ $name }}-search-proxy:8082/
{{- with .root.Values.monitoring.tracesUrl }}
- name: ANWEN__TRACES__OTLP_URL
  value: {{ . | quote }}
{{- end }}
{{- range $key, $value := .root.Values.env }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- range $key, $value := .service.env }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Called with (dict "root" $ "databases" (list "web" "knowledge")). */}}
{{- define "anwen.databaseEnv" -}}
{{- $root := .root -}}
{{- if .root.Values.postgresql.bundled -}}
- name: POSTGRES_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "anwen.secretName" .root }}, key: postgres-password}
{{- range .databases }}
- name: ANWEN__DATABASE__{{ . | upper }}_URL
  value: postgres://anwen:$(POSTGRES_PASSWORD)@{{ include "anwen.fullname" $root }}-postgresql:5432/anwen
{{- end }}
{{- else -}}
{{- range $index, $database := .databases -}}
{{- if $index }}
{{ end -}}
- name: ANWEN__DATABASE__{{ $database | upper }}_URL_FILE
  value: /run/secrets/anwen/database-{{ $database }}-url
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "anwen.mounts" -}}
- name: config
  mountPath: /etc/anwen
  readOnly: true
- name: secrets
  mountPath: /run/secrets/anwen
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "anwen.volumes" -}}
- name: config
  configMap:
    name: {{ include "anwen.fullname" . }}
- name: secrets
  secret:
    secretName: {{ include "anwen.secretName" . }}
    defaultMode: 0440
- name: tmp
  emptyDir: {}
{{- end -}}

{{/* A changed settings file starts the pods anew. */}}
{{- define "anwen.podAnnotations" -}}
checksum/config: {{ .Values.config | sha256sum }}
{{- end -}}

{{/* Called with (dict "size" "1Gi" "storageClass" "" "accessMode" "ReadWriteOnce"). */}}
{{- define "anwen.claim" -}}
accessModes: [{{ .accessMode }}]
{{- with .storageClass }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end -}}
