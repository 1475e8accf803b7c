import { join } from 'node:path'
import type { ConfigMap, Container, EnvVar, Resource } from '@bulkhead/resources'
import type { Pod } from '@bulkhead/verdict'
import { rootCaKey, rootCaName, serviceEnv } from './kube-api/access.js'
import type { SecretValues } from './secrets.js'

/** What a pod's manifest may refer to. */
export interface PodContext {
  readonly pod: Pod
  readonly annotations: Readonly<Record<string, string>>
  readonly hostIp: string
  /** `Kind/namespace/name` */
  readonly find: (id: string) => Resource | undefined
  readonly secrets: SecretValues
  /** The root of the API server's certificate, PEM, which every namespace has in a ConfigMap. */
  readonly rootCa?: string
}

/** A reference that leads nowhere; `path` is the place in the container. */
export class MissingReference extends Error {
  readonly path: readonly (string | number)[]

  constructor(path: readonly (string | number)[], message: string) {
    super(message)
    this.name = 'MissingReference'
    this.path = path
  }
}

/** A ConfigMap's or a Secret's values as bytes would be mounted, or undefined when the object is not there. */
export function dataOf(
  kind: 'ConfigMap' | 'Secret',
  name: string,
  context: PodContext,
): Record<string, string> | undefined {
  const found = context.find(`${kind}/${context.pod.namespace}/${name}`)
  if (found === undefined && kind === 'ConfigMap' && name === rootCaName && context.rootCa !== undefined)
    return { [rootCaKey]: context.rootCa }
  if (found === undefined) return undefined
  if (kind === 'ConfigMap') return { ...(found.object as ConfigMap).data }
  return { ...context.secrets.of(found, context.find) }
}

/** The downward API: what a pod may ask about itself. Undefined: not a field that has a value here. */
export function fieldRef(path: string, { pod, annotations, hostIp }: PodContext): string | undefined {
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path)
  if (keyed !== null) return (keyed[1] === 'labels' ? pod.labels : annotations)[keyed[2] ?? ''] ?? ''
  switch (path) {
    case 'metadata.name':
      return pod.name
    case 'metadata.namespace':
      return pod.namespace
    case 'spec.nodeName':
      return pod.node
    case 'spec.serviceAccountName':
      return pod.serviceAccount
    case 'status.podIP':
    case 'status.podIPs':
      return pod.ip
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIp
    default:
      return undefined
  }
}

/**
 * `$(NAME)` is replaced when NAME is known and stays as it is when not; `$$` is a plain `$`, so that `$$(NAME)` can be
 * written (Kubernetes, dependent environment variables).
 */
export function expand(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : Object.hasOwn(known, name) ? (known[name] ?? whole) : whole,
  )
}

/**
 * A container's environment exactly as its manifest gives it: `envFrom` in order, then `env` in order, later ones win,
 * and a value may use what stands before it.
 *
 * @throws MissingReference for a reference to nothing that is not optional.
 */
export function containerEnv(container: Container, context: PodContext): Record<string, string> {
  const env: Record<string, string> = {}
  container.envFrom?.forEach((source, index) => {
    const [kind, field, ref] = source.configMapRef
      ? (['ConfigMap', 'configMapRef', source.configMapRef] as const)
      : (['Secret', 'secretRef', source.secretRef] as const)
    if (ref === undefined) return
    const data = dataOf(kind, ref.name, context)
    if (data === undefined && ref.optional !== true)
      throw missing(kind, ref.name, context, ['envFrom', index, field, 'name'])
    for (const [key, value] of Object.entries(data ?? {})) env[`${source.prefix ?? ''}${key}`] = value
  })
  container.env?.forEach((variable, index) => {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? '', { ...serviceEnv, ...env })
        : valueFrom(variable, context, ['env', index])
    if (value !== undefined) env[variable.name] = value
  })
  return env
}

function valueFrom(variable: EnvVar, context: PodContext, path: readonly (string | number)[]): string | undefined {
  const { configMapKeyRef, secretKeyRef, fieldRef: field } = variable.valueFrom ?? {}
  if (field !== undefined) {
    const value = fieldRef(field.fieldPath, context)
    if (value !== undefined) return value
    throw new MissingReference(
      [...path, 'valueFrom', 'fieldRef', 'fieldPath'],
      `fieldPath ${JSON.stringify(field.fieldPath)} has no value here`,
    )
  }
  const [kind, name, ref] = configMapKeyRef
    ? (['ConfigMap', 'configMapKeyRef', configMapKeyRef] as const)
    : (['Secret', 'secretKeyRef', secretKeyRef] as const)
  if (ref === undefined) {
    throw new MissingReference(
      [...path, 'valueFrom'],
      `the value of ${variable.name} comes from a source that is not known here`,
    )
  }
  const data = dataOf(kind, ref.name, context)
  const value = data?.[ref.key]
  if (value !== undefined || ref.optional === true) return value
  if (data === undefined) throw missing(kind, ref.name, context, [...path, 'valueFrom', name, 'name'])
  throw new MissingReference(
    [...path, 'valueFrom', name, 'key'],
    `${kind}/${context.pod.namespace}/${ref.name} has no key ${JSON.stringify(ref.key)}; it has ${Object.keys(data).join(', ') || 'none'}`,
  )
}

function missing(
  kind: string,
  name: string,
  context: PodContext,
  path: readonly (string | number)[],
): MissingReference {
  return new MissingReference(path, `there is no ${kind} ${JSON.stringify(name)} in namespace ${context.pod.namespace}`)
}

/**
 * The environment of a pod's process: what the manifest says, what lets Node run, and the mesh's own variables. Of the
 * user's environment only PATH, the time zone and the language's name go along.
 */
export function podEnv(
  user: Readonly<Record<string, string | undefined>>,
  folder: string,
  podName: string,
  manifest: Readonly<Record<string, string>>,
  grant: Readonly<Record<string, string>>,
): Record<string, string> {
  const env: Record<string, string> = { HOME: folder, TMPDIR: join(folder, 'tmp'), HOSTNAME: podName }
  for (const name of ['PATH', 'TZ', 'LANG']) {
    const value = user[name]
    if (value !== undefined) env[name] = value
  }
  Object.assign(env, manifest, grant)
  const options = [grant.NODE_OPTIONS, manifest.NODE_OPTIONS].filter((value) => value !== undefined && value !== '')
  if (options.length > 0) env.NODE_OPTIONS = options.join(' ')
  return env
}
