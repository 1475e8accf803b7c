import type { FieldPath } from '@bulkhead/resources'
import { type Dict, field, isDict, isList, put, textOf, textsOf } from './data.js'
import { plainKind } from './match/kinds.js'
import type { Rule, RuleFamily } from './types.js'

/*
 * Rules about pods are made into rules about what creates pods: `autogen-<rule>` for workloads with a template, and
 * `autogen-cronjob-<rule>`. Not for a policy of which any rule names objects, selects by labels or annotations, is about other
 * kinds too, generates, or patches by JSON Patch.
 */

const annotation = 'pod-policies.kyverno.io/autogen-controllers'
const kindPaths: Readonly<Record<string, string>> = {
  DaemonSet: 'apps/v1/DaemonSet',
  Deployment: 'apps/v1/Deployment',
  Job: 'batch/v1/Job',
  StatefulSet: 'apps/v1/StatefulSet',
  ReplicaSet: 'apps/v1/ReplicaSet',
  ReplicationController: 'v1/ReplicationController',
  CronJob: 'batch/v1/CronJob',
}
const LONGEST_NAME = 63

export function familiesOf(rules: readonly unknown[], annotations: Readonly<Record<string, string>>): RuleFamily[] {
  const bodies = rules.filter(isDict)
  const controllers = controllersOf(bodies, annotations[annotation])
  return bodies.map((body, index) => {
    const path = ['spec', 'rules', index]
    return { own: { name: textOf(body.name) ?? '', body, path }, derived: derivedOf(body, controllers, path) }
  })
}

function controllersOf(rules: readonly Dict[], asked: string | undefined): readonly string[] {
  if (!rules.every(supports) || !rules.some(aboutPods)) return []
  if (asked === undefined) return Object.keys(kindPaths)
  const kinds = asked.split(',').map((one) => one.trim())
  return Object.keys(kindPaths).filter((kind) => kinds.includes(kind) || kinds.includes('all'))
}

function supports(rule: Dict): boolean {
  if (rule.generate !== undefined) return false
  const foreach = field(rule, 'mutate', 'foreach')
  const patches = [rule.mutate, ...(isList(foreach) ? foreach : [])]
  if (patches.some((one) => (textOf(field(one, 'patchesJson6902')) ?? '') !== '')) return false
  return descriptions(rule).every(
    (one) =>
      (textOf(one.name) ?? '') === '' &&
      textsOf(one.names).length === 0 &&
      one.selector === undefined &&
      one.annotations === undefined &&
      (textsOf(one.kinds).length < 2 || !hasKind(one, 'Pod')),
  )
}

function aboutPods(rule: Dict): boolean {
  return descriptions(rule).some((one) =>
    textsOf(one.kinds).some((kind) => kind === 'Pod' || Object.hasOwn(kindPaths, kind)),
  )
}

function hasKind(description: Dict, kind: string): boolean {
  return textsOf(description.kinds).some((written) => plainKind(written) === kind)
}

/** Every `resources` of match and exclude. */
function descriptions(rule: Dict): readonly Dict[] {
  return [rule.match, rule.exclude].flatMap(resourcesIn)
}

function resourcesIn(block: unknown): readonly Dict[] {
  if (!isDict(block)) return []
  const filters = [block.any, block.all].flatMap((list) => (isList(list) ? list : []))
  return [block, ...filters].map((one) => field(one, 'resources')).filter(isDict)
}

function derivedOf(body: Dict, controllers: readonly string[], path: FieldPath): Rule[] {
  const name = textOf(body.name) ?? ''
  if (controllers.length === 0 || name.startsWith('autogen-')) return []
  const excluded = resourcesIn(body.exclude).filter((one) => textsOf(one.kinds).length > 0)
  if (!resourcesIn(body.match).some((one) => hasKind(one, 'Pod'))) return []
  if (excluded.length > 0 && !excluded.some((one) => hasKind(one, 'Pod'))) return []

  const rules: Rule[] = []
  const add = (prefix: string, kinds: readonly string[], places: readonly string[]) => {
    const made = kinds.length === 0 ? undefined : rewritten(body, kinds, places)
    if (made !== undefined) rules.push({ name: `${prefix}-${name}`.slice(0, LONGEST_NAME), body: made, path })
  }
  add(
    'autogen',
    controllers.filter((kind) => kind !== 'CronJob'),
    ['template'],
  )
  add(
    'autogen-cronjob',
    controllers.filter((kind) => kind === 'CronJob'),
    ['jobTemplate', 'template'],
  )
  return rules
}

function rewritten(body: Dict, kinds: readonly string[], places: readonly string[]): Dict | undefined {
  const wrap = (pattern: unknown) =>
    places.reduceRight<unknown>((inner, place) => ({ spec: { [place]: inner } }), pattern)
  const rule: Record<string, unknown> = { ...body }
  const paths = kinds.map((kind) => kindPaths[kind] ?? kind)
  rule.match = aboutKinds(body.match, paths, true)
  if (isDict(body.exclude)) rule.exclude = aboutKinds(body.exclude, paths, false)
  if (isDict(body.mutate)) {
    const { patchStrategicMerge, foreach } = body.mutate
    if (patchStrategicMerge !== undefined) rule.mutate = { patchStrategicMerge: wrap(patchStrategicMerge) }
    else if (isList(foreach))
      rule.mutate = {
        foreach: foreach.filter(isDict).map(({ list, context, preconditions, patchStrategicMerge: patch }) => ({
          list,
          ...(context !== undefined && { context }),
          ...(preconditions !== undefined && { preconditions }),
          patchStrategicMerge: wrap(patch),
        })),
      }
    else return undefined
  } else if (isDict(body.validate)) {
    const { pattern, anyPattern, deny } = body.validate
    const validate: Record<string, unknown> = { ...body.validate }
    if (pattern !== undefined) validate.pattern = wrap(pattern)
    else if (deny === undefined && isList(anyPattern)) validate.anyPattern = anyPattern.map(wrap)
    rule.validate = validate
  } else if (body.verifyImages === undefined) return undefined
  return shifted(rule, places, isDict(field(body, 'validate', 'cel')))
}

/** A filter about pods is now about these kinds; where the block itself is the filter, it always is. */
function aboutKinds(block: unknown, kinds: readonly string[], always: boolean): unknown {
  if (!isDict(block)) return block
  const changed = (filter: unknown) =>
    isDict(filter) && isDict(filter.resources) && hasKind(filter.resources, 'Pod')
      ? { ...filter, resources: { ...filter.resources, kinds } }
      : filter
  if (isList(block.any) && block.any.length > 0) return { ...block, any: block.any.map(changed) }
  if (isList(block.all) && block.all.length > 0) return { ...block, all: block.all.map(changed) }
  const resources = isDict(block.resources) ? block.resources : {}
  return always || textsOf(resources.kinds).length > 0 ? { ...block, resources: { ...resources, kinds } } : block
}

/** `request.object.spec` is the pod's, wherever it stands in the rule; in CEL it is `object.spec`. */
function shifted(rule: Dict, places: readonly string[], cel: boolean): Dict {
  const inside = places.map((place) => `spec.${place}`).join('.')
  const objects = cel ? ['object', 'oldObject'] : ['request.object', 'request.oldObject']
  const replacements = ['spec', 'metadata'].flatMap((part) => objects.map((object) => `${object}.${part}`))
  const text = (from: string) =>
    replacements.reduce((made, old) => {
      const dot = old.lastIndexOf('.')
      return made.replaceAll(old, `${old.slice(0, dot)}.${inside}${old.slice(dot)}`)
    }, from)
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value)
    if (isList(value)) return value.map(walk)
    if (!isDict(value)) return value
    const made = {}
    for (const [key, item] of Object.entries(value)) put(made, text(key), walk(item))
    return made
  }
  const made = walk(rule)
  return isDict(made) ? made : rule
}
