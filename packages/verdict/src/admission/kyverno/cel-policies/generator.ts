import type { KubernetesObject } from '@bulkhead/resources'
import { CelError } from '../../cel/errors.js'
import type { Frame } from '../../cel/frame.js'
import { define } from '../../cel/registry.js'
import { isClusterScoped } from '../../targets.js'
import { plainOf } from './plain.js'

/*
 * `generator.Apply(namespace, objects)`, the function with which a generating policy makes objects (kyverno/sdk,
 * extensions/cel/libs/generator; GenerateResources in Kyverno's pkg/cel/libs).
 */

/** A policy that makes more than this makes too much. */
const maxObjects = 1000
const maxErrorName = 80

/** What one evaluation of a policy makes. */
export class Generator {
  readonly made: KubernetesObject[] = []
  readonly #own: string | undefined

  /** @param own the policy's namespace; it makes objects there alone */
  constructor(own: string | undefined) {
    this.#own = own
  }

  apply(namespace: string, given: unknown): void {
    const { apiVersion, kind, metadata } = isFields(given) ? given : {}
    const name = isFields(metadata) ? metadata.name : undefined
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string' || name === '') {
      throw wrong('an object needs an apiVersion, a kind and a name')
    }
    const named = `${kind}/${name}`.slice(0, maxErrorName)
    const cluster = isClusterScoped(kind)
    if (this.#own !== undefined && (cluster || namespace !== this.#own)) {
      const which = cluster ? 'cross-scope' : 'cross-namespace'
      throw wrong(`${which} generation denied: a policy of namespace "${this.#own}" cannot make ${named}`)
    }
    if (!cluster && namespace === '') throw wrong(`${named} needs a namespace`)
    if (this.made.length >= maxObjects) throw wrong(`more than ${maxObjects} objects`)
    const { namespace: from, ownerReferences, ...rest } = isFields(metadata) ? metadata : {}
    // Owners of another namespace would have it collected at once.
    const owners =
      ownerReferences === undefined || (from !== undefined && from !== namespace) ? {} : { ownerReferences }
    this.made.push({
      ...(given as object),
      apiVersion,
      kind,
      metadata: { ...rest, name, ...(!cluster && { namespace }), ...owners },
    })
  }
}

const wrong = (what: string): CelError => new CelError(`failed to generate resources: ${what}`)

for (const name of ['generator.Apply', 'generator.apply']) {
  define(name, ['string', 'list'], 'bool', ([namespace, objects], frame) => {
    const generator = generatorOf(frame)
    for (const object of objects) {
      const plain = plainOf(object, frame.budget)
      const items =
        isFields(plain) && String(plain.kind).endsWith('List') && Array.isArray(plain.items) ? plain.items : [plain]
      for (const item of items) generator.apply(namespace, item)
    }
    return true
  })
}

function generatorOf({ roots }: Frame): Generator {
  const generator = roots.get('generator')
  if (generator instanceof Generator) return generator
  throw new CelError('only a generating policy generates')
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
