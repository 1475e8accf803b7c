import type { KubernetesObject } from '@bulkhead/resources'
import { resourceOf } from '../../../targets.js'
import type { Review } from '../../../types.js'
import { type Dict, field, isDict, isList, pairsOf, textOf } from '../data.js'
import { NotModelled } from '../limits.js'
import type { Policy, Rule, RuleAnswer, Scene } from '../types.js'
import type { Context } from '../variables/context.js'
import { QueryError } from '../variables/interpreter.js'
import { substitute } from '../variables/substitute.js'
import { entriesOf } from './entries.js'
import { elementData, elementsOf, preconditions } from './validate.js'

/*
 * generate: an object beside the one that is created, from data or as a copy of one that is there. Kyverno makes it
 * afterwards, so nothing that goes wrong here refuses anything.
 */

export interface Generated extends RuleAnswer {
  readonly made?: readonly KubernetesObject[]
}

export function generateRule(rule: Rule, scene: Scene): Generated {
  const generate = isDict(rule.body.generate) ? rule.body.generate : {}
  if (scene.object === null) return { status: 'none', message: '' }
  const wanted = isList(generate.foreach)
    ? generate.foreach.filter(isDict).flatMap((loop) => loopOf(loop, rule, scene))
    : one(generate, rule, scene.context, scene)
  if (wanted.length === 0) return { status: 'skip', message: 'what it generates is there already' }
  const names = wanted.map(({ kind, metadata: { name, namespace } }) =>
    namespace === undefined ? `${kind}/${name}` : `${kind}/${name} in namespace ${namespace}`,
  )
  return { status: 'pass', message: names.join(', '), made: wanted }
}

function loopOf(loop: Dict, rule: Rule, scene: Scene): readonly KubernetesObject[] {
  const made: KubernetesObject[] = []
  for (const [index, item] of elementsOf(textOf(loop.list) ?? '', scene.context).entries()) {
    if (item === null || item === undefined) continue
    scene.budget.spend(10)
    const own = entriesOf(loop.context, scene.review, scene.policy.namespace)
    const context = scene.context.with(elementData(item, index, 0), own)
    const unmet = preconditions(loop.preconditions, context)
    if (unmet?.status === 'error') throw new QueryError(unmet.message)
    if (unmet === undefined) made.push(...one(loop, rule, context, scene))
  }
  return made
}

function one(pattern: Dict, rule: Rule, context: Context, scene: Scene): readonly KubernetesObject[] {
  const { apiVersion, kind, name, namespace, data, clone, cloneList } = pattern
  if (cloneList !== undefined) throw new NotModelled(`generate.cloneList of the rule ${rule.name}`)
  const put = substitute({ apiVersion, kind, name, namespace, data, clone }, context)
  const text = (key: string) => textOf(field(put, key)) ?? ''
  const target = {
    apiVersion: text('apiVersion'),
    kind: text('kind'),
    name: text('name'),
    namespace: text('namespace'),
  }
  if (target.apiVersion === '' || target.kind === '')
    throw new NotModelled(
      `generate without apiVersion and kind in the rule ${rule.name}, which the API server would be asked for`,
    )
  if (target.name === '') throw new QueryError('failed to generate resource: resource name may not be empty')
  const source = isDict(clone) ? copyOf(field(put, 'clone'), target, scene.review) : field(put, 'data')
  if (!isDict(source)) return []
  const there = scene.review.get(target.apiVersion, resourceOf(target.kind), target.namespace, target.name)
  const synchronize = field(rule.body, 'generate', 'synchronize') === true
  if (there !== undefined && !synchronize && !isDict(clone)) return []
  return [objectOf(source, target, rule, scene)]
}

type Target = Readonly<Record<'apiVersion' | 'kind' | 'name' | 'namespace', string>>

function copyOf(clone: unknown, target: Target, review: Review): Dict | undefined {
  const [name, namespace] = [textOf(field(clone, 'name')) ?? '', textOf(field(clone, 'namespace')) ?? '']
  if (namespace === target.namespace && name === target.name) return undefined
  const found = review.get(target.apiVersion, resourceOf(target.kind), namespace, name)
  if (found === undefined)
    throw new QueryError(
      `source resource ${target.apiVersion}/${target.kind}/${target.namespace}/${target.name} not found: ${resourceOf(target.kind)} "${name}" not found`,
    )
  const metadata: Record<string, unknown> = { ...(isDict(found.metadata) && found.metadata) }
  for (const key of ['uid', 'selfLink', 'creationTimestamp', 'managedFields', 'resourceVersion', 'ownerReferences'])
    delete metadata[key]
  const labels = { ...pairsOf(metadata.labels), 'generate.kyverno.io/clone-source': '' }
  return { ...found, metadata: { ...metadata, labels } }
}

function objectOf(source: Dict, target: Target, rule: Rule, { object, policy }: Scene): KubernetesObject {
  const metadata = isDict(source.metadata) ? source.metadata : {}
  const { apiVersion, kind, name, namespace } = target
  return {
    ...source,
    apiVersion,
    kind: textOf(source.kind) ?? kind,
    metadata: {
      ...metadata,
      name,
      ...(namespace !== '' && { namespace }),
      labels: { ...pairsOf(metadata.labels), ...marks(policy, rule, object) },
    },
  }
}

/** By these Kyverno knows its own again. The trigger's uid is among them in a cluster. */
function marks(policy: Policy, rule: Rule, trigger: Dict | null): Readonly<Record<string, string>> {
  const apiVersion = textOf(trigger?.apiVersion) ?? ''
  const slash = apiVersion.indexOf('/')
  const prefix = 'generate.kyverno.io'
  return {
    'app.kubernetes.io/managed-by': 'kyverno',
    [`${prefix}/policy-name`]: policy.name,
    [`${prefix}/policy-namespace`]: policy.namespace ?? '',
    [`${prefix}/rule-name`]: rule.name,
    [`${prefix}/trigger-group`]: apiVersion.slice(0, Math.max(0, slash)),
    [`${prefix}/trigger-version`]: apiVersion.slice(slash + 1),
    [`${prefix}/trigger-kind`]: textOf(trigger?.kind) ?? '',
    [`${prefix}/trigger-namespace`]: textOf(field(trigger, 'metadata', 'namespace')) ?? '',
  }
}
