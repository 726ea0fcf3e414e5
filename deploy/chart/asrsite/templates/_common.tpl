{{- define "asrsite.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "asrsite.labels" -}}
{{ include "asrsite.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "asrsite.selector" -}}
app.kubernetes.io/name: asrsite
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "asrsite.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "asrsite.secret" -}}
{{ .Values.existingSecret | default (include "asrsite.name" .) }}
{{- end }}

{{- define "asrsite.claim" -}}
{{ .Values.storage.existingClaim | default (include "asrsite.name" .) }}
{{- end }}

{{/* What every pod of ours is: nobody's root, with nothing to write to but the data and /tmp. */}}
{{- define "asrsite.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: data
    persistentVolumeClaim:
      claimName: {{ include "asrsite.claim" . }}
  - name: tmp
    emptyDir:
      sizeLimit: 1Gi
{{- end }}

{{- define "asrsite.container" -}}
image: {{ include "asrsite.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  - name: POD_IP
    valueFrom:
      fieldRef:
        fieldPath: status.podIP
  # Probes and Prometheus ask for a pod by its address.
  - name: ALLOWED_HOSTS
    value: {{ printf "%s,127.0.0.1,localhost,$(POD_IP)" .Values.host | quote }}
envFrom:
  - configMapRef:
      name: {{ include "asrsite.name" . }}
  - secretRef:
      name: {{ include "asrsite.secret" . }}
volumeMounts:
  - name: data
    mountPath: /data
  - name: tmp
    mountPath: /tmp
{{- end }}

{{/* A pod begins when the database is as its version needs it: `prepare` sees to that. */}}
{{- define "asrsite.after-prepare" -}}
initContainers:
  - name: after-prepare
    args: [migrate, --check]
    {{- include "asrsite.container" . | nindent 4 }}
    resources:
      limits: {memory: 1Gi}
{{- end }}

{{/* A change of settings or secrets starts the pods anew. */}}
{{- define "asrsite.annotations" -}}
checksum/settings: {{ toJson .Values.settings | sha256sum }}
checksum/secrets: {{ toJson .Values.secrets | sha256sum }}
{{- end }}

{{/* Pods of one kind go to different machines where that is possible. */}}
{{- define "asrsite.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "asrsite.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
{{- end }}
