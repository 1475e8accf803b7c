import type { KubernetesObject } from '@bulkhead/resources'
import { isRecord } from '../live/plain.js'

type Fields = Record<string, unknown>

const fields = (value: unknown): Fields => (isRecord(value) ? { ...value } : {})
const each = (value: unknown, change: (item: Fields) => Fields): unknown =>
  Array.isArray(value) ? value.map((item) => change(fields(item))) : value
/** What is not there gets this. */
const defaulted = (object: Fields, defaults: Fields): Fields => ({ ...defaults, ...withoutUndefined(object) })
const withoutUndefined = (object: Fields): Fields =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
const at = (object: Fields, name: string, change: (value: unknown) => unknown): Fields =>
  object[name] === undefined ? object : { ...object, [name]: change(object[name]) }

/** The object as an API server at 1.35 stores it: all but its metadata and status. */
export function withServersDefaults(object: KubernetesObject, address?: string): Fields {
  const { apiVersion: _, kind, metadata: __, ...rest } = object
  const made = defaultsOf(kind, rest, address)
  return kind === 'NetworkPolicy' || /^(apps\/)?v1$/.test(object.apiVersion) ? fields(withoutEmpty(made)) : made
}

function defaultsOf(kind: string, rest: Fields, address: string | undefined): Fields {
  const spec = fields(rest.spec)
  switch (kind) {
    case 'Namespace':
      return { ...rest, spec: { finalizers: ['kubernetes'] } }
    case 'Pod':
      return {
        ...rest,
        spec: { ...podSpec(spec), nodeName: 'n', priority: 0, preemptionPolicy: 'PreemptLowerPriority' },
      }
    case 'Deployment': {
      const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } }
      return {
        ...rest,
        spec: withTemplate(
          defaulted(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy }),
        ),
      }
    }
    case 'StatefulSet':
      return { ...rest, spec: withTemplate(statefulSet(spec)) }
    case 'DaemonSet': {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }
      return { ...rest, spec: withTemplate(defaulted(spec, { revisionHistoryLimit: 10, updateStrategy })) }
    }
    case 'Service':
      return { ...rest, spec: service(spec, address ?? '10.96.200.1') }
    case 'PersistentVolumeClaim':
      return {
        ...rest,
        spec: defaulted(spec, { volumeMode: 'Filesystem', volumeName: 'pvc-1', storageClassName: 'standard' }),
      }
    case 'NetworkPolicy':
      return { ...rest, spec: networkPolicy(spec) }
    case 'HTTPRoute':
      return { ...rest, spec: httpRoute(spec) }
    case 'Gateway':
      return { ...rest, spec: at(spec, 'listeners', (list) => each(list, listener)) }
    case 'PolicyException':
      return { ...rest, spec: defaulted(spec, { reportResult: 'skip' }) }
    default:
      return rest
  }
}

function withTemplate(spec: Fields): Fields {
  return at(spec, 'template', (template) => {
    const { metadata, ...others } = fields(template)
    return {
      ...others,
      metadata: { creationTimestamp: null, ...fields(metadata) },
      spec: podSpec(fields(fields(template).spec)),
    }
  })
}

function podSpec(spec: Fields): Fields {
  const defaults = {
    ...{ restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' },
    ...{ schedulerName: 'default-scheduler', securityContext: {} },
    ...(spec.serviceAccountName !== undefined && { serviceAccount: spec.serviceAccountName }),
  }
  const whole = defaulted(spec, defaults)
  const volumes = at(whole, 'volumes', (list) => each(list, volume))
  return at(
    at(volumes, 'containers', (list) => each(list, container)),
    'initContainers',
    (list) => each(list, container),
  )
}

const volume = (one: Fields): Fields =>
  ['secret', 'configMap', 'projected'].reduce(
    (whole, name) => at(whole, name, (source) => defaulted(fields(source), { defaultMode: 420 })),
    one,
  )

function container(one: Fields): Fields {
  const defaults = {
    ...{ terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
    ...{ imagePullPolicy: 'IfNotPresent', resources: {} },
  }
  const ports = at(defaulted(one, defaults), 'ports', (list) =>
    each(list, (port) => defaulted(port, { protocol: 'TCP' })),
  )
  return ['livenessProbe', 'readinessProbe', 'startupProbe'].reduce(
    (whole, name) => at(whole, name, (value) => probe(fields(value))),
    ports,
  )
}

function probe(one: Fields): Fields {
  const whole = defaulted(one, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
  return at(whole, 'httpGet', (get) => defaulted(fields(get), { scheme: 'HTTP', path: '/' }))
}

function statefulSet(spec: Fields): Fields {
  const whole = defaulted(spec, {
    ...{ replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  })
  return at(whole, 'volumeClaimTemplates', (list) =>
    each(list, (claim) => ({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim },
      spec: defaulted(fields(claim.spec), { volumeMode: 'Filesystem' }),
      status: { phase: 'Pending' },
    })),
  )
}

function service(spec: Fields, address: string): Fields {
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  const clusterIP = spec.clusterIP ?? address
  const whole = defaulted(spec, {
    ...{
      clusterIP,
      clusterIPs: [clusterIP],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    },
    ...{ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', ...(external && { externalTrafficPolicy: 'Cluster' }) },
  })
  return at(whole, 'ports', (list) =>
    each(list, (port) =>
      defaulted(port, { protocol: 'TCP', targetPort: port.port, ...(external && { nodePort: 31_234 }) }),
    ),
  )
}

function networkPolicy(spec: Fields): Fields {
  const egress = Array.isArray(spec.egress) && spec.egress.length > 0
  const whole = defaulted(spec, { policyTypes: egress ? ['Ingress', 'Egress'] : ['Ingress'] })
  const rule = (one: Fields): Fields =>
    at(one, 'ports', (list) => each(list, (port) => defaulted(port, { protocol: 'TCP' })))
  return at(
    at(whole, 'ingress', (list) => each(list, rule)),
    'egress',
    (list) => each(list, rule),
  )
}

function httpRoute(spec: Fields): Fields {
  const parents = at(spec, 'parentRefs', (list) =>
    each(list, (parent) => defaulted(parent, { group: 'gateway.networking.k8s.io', kind: 'Gateway' })),
  )
  const path = { type: 'PathPrefix', value: '/' }
  return at(parents, 'rules', (list) =>
    each(list, (rule) => {
      const whole = defaulted(rule, { matches: [{ path }] })
      const refs = at(whole, 'backendRefs', (all) =>
        each(all, (ref) => defaulted(ref, { group: '', kind: 'Service', weight: 1 })),
      )
      return at(refs, 'matches', (all) =>
        each(all, (match) =>
          at(defaulted(match, { path }), 'headers', (headers) =>
            each(headers, (one) => defaulted(one, { type: 'Exact' })),
          ),
        ),
      )
    }),
  )
}

const listener = (one: Fields): Fields =>
  at(defaulted(one, { allowedRoutes: {} }), 'allowedRoutes', (routes) => ({
    ...fields(routes),
    namespaces: defaulted(fields(fields(routes).namespaces), { from: 'Same' }),
  }))

/** Lists that are empty are not written: `omitempty`. Structs behind pointers stay. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (!isRecord(value)) return value
  const kept = Object.entries(value).filter(([, one]) => !(Array.isArray(one) && one.length === 0))
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutEmpty(one)]))
}
