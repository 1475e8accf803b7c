import { quote, type Report } from './diagnostics.js'
import { apiGroup } from './group.js'
import { deepFreeze, define, isObject, withoutNulls } from './plain.js'
import { checkRules } from './rules/rules.js'
import { isBuiltInGroup, kindHint, misspelt, scopeOf } from './schema/kinds-known.js'
import { hasKubernetesSchema, validateKubernetes } from './schema/kubernetes.js'
import { checkMetadata, objectMeta } from './schema/metadata.js'
import { open, type Schema } from './schema/schema.js'
import { strictVersions } from './schema/strict-kinds.js'
import { validate, type Written } from './schema/validate.js'
import type { Diagnostic, FieldPath, KubernetesObject, Position, Resource } from './types.js'
import { nodeAt, type PositionNode, pathText, writtenAt } from './yaml/positions.js'

export interface ReadOptions {
  readonly layer?: string
  readonly namespace?: string
  position(offset: number): Position
  add(diagnostic: Diagnostic): void
}

/** One object, held against the schema of its kind. `undefined` when there is a mistake in it; then that has been told. */
export function readObject(
  value: Record<string, unknown>,
  positions: PositionNode,
  options: ReadOptions,
): Resource | undefined {
  const apiVersion = String(value.apiVersion)
  const kind = String(value.kind)
  const group = apiGroup(apiVersion)
  if (options.namespace !== undefined) value = inNamespace(value, group, kind, options.namespace)

  const metadata = isObject(value.metadata) ? value.metadata : {}
  const scope = scopeOf(group, kind)
  const namespace =
    scope === 'cluster' ? undefined : textOf(metadata.namespace, scope === 'namespaced' ? 'default' : undefined)
  const name = textOf(metadata.name, '')
  const id = [kind, ...(namespace === undefined ? [] : [namespace]), name].join('/')

  let failed = false
  const at = (path: FieldPath) => options.position(nodeAt(positions, path).offset)
  const report: Report = (severity, code, path, message) => {
    if (severity === 'error') failed = true
    options.add({ severity, code, message: `${name === '' ? kind : id}: ${message}`, at: at(path) })
  }
  const written: Written = (path) => writtenAt(positions, path)?.written

  const held = validateKind({ value, apiVersion, group, kind, report, written })
  if (metadata.name === undefined || metadata.name === null || metadata.name === '') {
    const generated =
      typeof metadata.generateName === 'string'
        ? '; generateName makes one up on a cluster, and here nothing could refer to it'
        : ''
    report('error', 'object.no-name', ['metadata'], `metadata.name is missing, and must be set${generated}`)
  }
  checkMetadata(kind, group, metadata, report)
  if (scope === 'cluster' && typeof metadata.namespace === 'string') {
    report(
      'warning',
      'object.namespace-ignored',
      ['metadata', 'namespace'],
      `a ${kind} belongs to the whole cluster; its namespace ${quote(metadata.namespace)} is ignored`,
    )
  }
  if (scope === 'namespaced' && typeof metadata.namespace !== 'string') {
    report(
      'warning',
      'object.no-namespace',
      ['metadata'],
      'no metadata.namespace, so it goes where kubectl happens to point; read as "default" here',
    )
  }
  if (failed) return undefined

  // A kind without a schema may mean something by null.
  const object = held === undefined ? value : withoutNulls(value, (path) => warnOfNull(path, report), held.schema)
  if (held !== undefined) checkRules(object as KubernetesObject, report)
  if (failed) return undefined
  const attached = withSpec(attachTargets(object as Record<string, unknown>, kind, group), kind, group)
  return {
    id,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    object: deepFreeze(attached) as unknown as KubernetesObject,
    ...(options.layer === undefined ? {} : { layer: options.layer }),
    position: at,
  }
}

interface Kind {
  readonly value: Record<string, unknown>
  readonly apiVersion: string
  readonly group: string
  readonly kind: string
  readonly report: Report
  readonly written: Written
}

/** What the object has been held against: our own schema, or the library's, which cannot be looked into. Undefined for a kind without one. */
function validateKind({ value, apiVersion, group, kind, report, written }: Kind): { schema?: Schema } | undefined {
  const strict = strictVersions(group, kind)
  if (strict !== undefined) {
    const version = apiVersion.slice(group.length + 1)
    const [[current, newest] = ['', open]] = strict
    if (!strict.has(version)) {
      report(
        'error',
        'kind.version',
        ['apiVersion'],
        `${kind} has no version ${quote(version)}; write ${group}/${current}`,
      )
    }
    const schema = strict.get(version) ?? newest
    validate(value, schema, [], report, written)
    return { schema }
  }
  const current = servedInstead(apiVersion, group, kind)
  if (current !== undefined) {
    report(
      'error',
      'kind.version',
      ['apiVersion'],
      `no current cluster serves ${kind} as ${quote(apiVersion)}; write ${current}`,
    )
    return {}
  }
  if (hasKubernetesSchema(apiVersion, kind)) {
    validateKubernetes(value, apiVersion, kind, report, written)
    return {}
  }
  if (isBuiltInGroup(group)) {
    const known = scopeOf(group, kind) !== 'unknown'
    const message = known
      ? `${kind} is not served as ${quote(apiVersion)}; use the version of a current cluster`
      : `${quote(apiVersion)} has no kind ${quote(kind)}${kindHint(group, kind)}`
    report('error', 'kind.unknown', [known ? 'apiVersion' : 'kind'], message)
    return {}
  }
  const meant = misspelt(group, kind)
  if (meant !== undefined) {
    const what =
      meant.field === 'kind'
        ? `${quote(apiVersion)} has no kind ${quote(kind)}`
        : `no group ${quote(group)} with a ${kind} is known`
    report('error', 'kind.unknown', [meant.field], `${what}; did you mean ${meant.name}?`)
    return {}
  }
  if (value.metadata !== undefined) validate(value.metadata, objectMeta, ['metadata'], report, written)
  report(
    'warning',
    'kind.no-schema',
    ['kind'],
    `${apiVersion} ${kind} has no schema here, so only its metadata is checked and none of its rules is followed${isolates(kind)}`,
  )
  return undefined
}

/** As every engine names such a kind; the engine says `unknown` of what one may isolate. */
function isolates(kind: string): string {
  return kind.endsWith('NetworkPolicy') ? '; of traffic that it may stop the verdict is "unknown"' : ''
}

/** The library has the schemas of versions that were taken away years ago: a beta, where the kind is stable since. */
function servedInstead(apiVersion: string, group: string, kind: string): string | undefined {
  if (group === 'extensions') return 'the group that the kind has moved to (apps/v1 or networking.k8s.io/v1)'
  if (!isBuiltInGroup(group) || !/(alpha|beta)[0-9]+$/.test(apiVersion)) return undefined
  return [`${group}/v2`, `${group}/v1`].find((stable) => hasKubernetesSchema(stable, kind))
}

/** `creationTimestamp: null` is what tools print; every other null was meant to be something. */
function warnOfNull(path: FieldPath, report: Report): void {
  if (path.at(-1) === 'creationTimestamp') return
  report(
    'warning',
    'field.null',
    path,
    `${pathText(path)} is there without a value (null), which Kubernetes reads as if it were missing; for an empty list write [], for an empty object {}`,
  )
}

/** A kustomization's namespace: put on everything that lives in one. A Namespace takes it as its name, as kustomize does. */
function inNamespace(
  value: Record<string, unknown>,
  group: string,
  kind: string,
  namespace: string,
): Record<string, unknown> {
  if (!isObject(value.metadata) && value.metadata !== undefined) return value
  const metadata: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(isObject(value.metadata) ? value.metadata : {}))
    define(metadata, name, item)
  if (group === '' && kind === 'Namespace') metadata.name = namespace
  else if (scopeOf(group, kind) !== 'cluster') metadata.namespace = namespace
  return { ...value, metadata }
}

/** `targetRef` is the older, single form of `targetRefs`. Readers know one of the two; taken for neither, the policy would be one for all pods. */
function attachTargets(object: Record<string, unknown>, kind: string, group: string): Record<string, unknown> {
  if (
    kind !== 'AuthorizationPolicy' ||
    group !== 'security.istio.io' ||
    !isObject(object.spec) ||
    object.spec.targetRef === undefined
  )
    return object
  const { targetRef, ...spec } = object.spec
  return { ...object, spec: { ...spec, targetRefs: [targetRef] } }
}

/** The one kind whose spec the API server takes for an empty one, which selects every pod of the namespace. */
function withSpec(object: Record<string, unknown>, kind: string, group: string): Record<string, unknown> {
  return group === 'networking.k8s.io' && kind === 'NetworkPolicy' && object.spec === undefined
    ? { ...object, spec: {} }
    : object
}

function textOf<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' && value !== '' ? value : otherwise
}
