import { parse, YAMLParseError } from 'yaml'
import { applyJsonPatch, PatchError, strategicMerge } from '../../../patch/index.js'
import { type Dict, field, isDict, isList, textOf } from '../data.js'
import { NotModelled } from '../limits.js'
import type { Rule, RuleAnswer, Scene } from '../types.js'
import type { Context } from '../variables/context.js'
import { QueryError, same } from '../variables/interpreter.js'
import { substitute } from '../variables/substitute.js'
import { entriesOf } from './entries.js'
import { preprocess } from './preprocess.js'
import { elementData, elementsOf, preconditions } from './validate.js'

/*
 * mutate: a strategic merge with anchors, a JSON Patch, or one of them for each element of a list.
 */

export interface Mutated extends RuleAnswer {
  /** As it is now, where the rule changed it. */
  readonly object?: Dict
}

export function mutateRule(rule: Rule, scene: Scene): Mutated {
  const mutate = isDict(rule.body.mutate) ? rule.body.mutate : {}
  if (mutate.targets !== undefined)
    throw new NotModelled(
      `mutate.targets of the rule ${rule.name}: it changes other objects than the one that is created`,
    )
  const before = scene.object
  if (before === null) return { status: 'none', message: '' }
  try {
    const after = isList(mutate.foreach)
      ? foreach(mutate.foreach, before, scene.context, scene, 0)
      : patched(field(substituted({ mutate }, scene.context), 'mutate'), before, scene.context)
    if (after === before || same(before, after, scene.budget)) return { status: 'skip', message: 'no patches applied' }
    return { status: 'pass', message: mutatedText(after), object: after }
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    if (error.tooLarge) throw new NotModelled(`such a patch of the rule ${rule.name} (${error.message})`)
    return { status: 'error', message: `failed to patch resource: ${error.message}` }
  }
}

function mutatedText(object: Dict): string {
  const [kind, name] = [textOf(object.kind) ?? '', textOf(field(object, 'metadata', 'name')) ?? '']
  const namespace = textOf(field(object, 'metadata', 'namespace')) ?? ''
  return `mutated ${kind}/${name}${namespace === '' ? '' : ` in namespace ${namespace}`}`
}

function substituted(document: Dict, context: Context): unknown {
  try {
    return substitute(document, context)
  } catch (error) {
    if (error instanceof QueryError) throw new QueryError(`variable substitution failed: ${error.message}`)
    throw error
  }
}

/** What a patch costs but for its copies: it is put together anew, and read. */
const PATCH_STEPS = 150

function patched(patch: unknown, object: Dict, context: Context): Dict {
  context.budget.spend(PATCH_STEPS + 2 * breadth(object))
  const merge = field(patch, 'patchStrategicMerge')
  if (merge !== undefined && merge !== null) {
    const plain = preprocess(merge, object, context.budget)
    return plain === undefined ? object : dict(strategicMerge(object, plain, { added: 'first' }), object)
  }
  const written = textOf(field(patch, 'patchesJson6902')) ?? ''
  if (written === '') throw new QueryError('empty mutate rule')
  const options = { missingRemoved: true, parentsMade: true, negativeIndexes: true }
  return dict(applyJsonPatch(object, operations(written), options), object)
}

/** Fields and items that stand beside those that a patch changes, and are copied with them. */
function breadth(object: Dict): number {
  let count = 0
  for (const value of Object.values(object)) count += isList(value) ? value.length : isDict(value) ? breadth(value) : 1
  return count
}

function dict(value: unknown, fallback: Dict): Dict {
  return isDict(value) ? value : fallback
}

/** The patch is a text, YAML or JSON. */
function operations(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 50 }) as unknown
  } catch (error) {
    if (error instanceof YAMLParseError || error instanceof ReferenceError)
      throw new PatchError(`failed to decode patches: ${error.message}`)
    throw error
  }
}

function foreach(loops: readonly unknown[], start: Dict, outer: Context, scene: Scene, nesting: number): Dict {
  let object = start
  let context = outer
  for (const loop of loops.filter(isDict)) {
    const list = textOf(loop.list) ?? ''
    let items: readonly unknown[]
    try {
      items = elementsOf(list, context)
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      throw new QueryError(`failed to evaluate list ${list}: ${error.message}: ${error.message}`)
    }
    object = elements(loop, items, object, context, scene, nesting)
    context = context.withObject(object)
  }
  return object
}

function elements(
  loop: Dict,
  items: readonly unknown[],
  start: Dict,
  outer: Context,
  scene: Scene,
  nesting: number,
): Dict {
  let object = start
  // A strategic merge puts what is new first, so the last element comes first.
  const reversed = loop.order === undefined ? loop.patchStrategicMerge !== undefined : loop.order === 'Descending'
  const order = [...items.entries()]
  for (const [index, item] of reversed ? order.reverse() : order) {
    if (item === null || item === undefined) continue
    scene.budget.spend(10)
    const own = entriesOf(loop.context, scene.review, scene.policy.namespace)
    const context = outer.with(elementData(item, index, nesting), own)
    const unmet = preconditions(loop.preconditions, context)
    if (unmet?.status === 'error')
      throw new QueryError(
        `failed to mutate elements: failed to evaluate mutate.foreach[${index}].preconditions: ${unmet.message.replace('failed to evaluate preconditions: ', '')}`,
      )
    if (unmet !== undefined) continue
    if (isList(loop.foreach)) object = foreach(loop.foreach, object, context, scene, nesting + 1)
    else {
      const { patchStrategicMerge = null, patchesJson6902 = '' } = loop
      object = patched(substituted({ patchStrategicMerge, patchesJson6902 }, context), object, context)
    }
  }
  return object
}
