import { isDeepStrictEqual } from 'node:util'
import { changedResource, type KubernetesObject, type PodTemplate, type Resource } from '@bulkhead/resources'
import type {
  Admission,
  AdmissionPolicies,
  AdmissionRequest,
  GeneratedResource,
  Operation,
  Requester,
} from '@bulkhead/verdict/admission'
import type { Engine } from '../engine.js'
import { messageOf } from '../errors.js'
import { keyOf } from '../in-force.js'
import { type Entry, isSame } from './entries.js'
import { replicasOf, templateOf } from './kinds.js'
import type { Refusal } from './refusal.js'
import { refusalOf } from './refused.js'

/** What the API server is to be asked. */
export interface Due {
  readonly given: Resource
  readonly operation: Operation
  /** What is there. */
  readonly entry: Entry | undefined
  readonly user?: Requester
}

export interface Answered {
  /** Id with API group. */
  readonly key: string
  readonly given: Resource
  readonly operation: Operation
  /** Absent: there were no policies yet to ask. */
  readonly admission?: Admission
  /** What is there then. Undefined: nothing. */
  readonly entry: Entry | undefined
}

/** What is most likely there then: what is asked for, unless that was refused already. */
export function expected({ given, operation, entry }: Due): Entry | undefined {
  const { refused } = entry ?? {}
  if (operation === 'DELETE') return refused?.operation === 'DELETE' ? entry : undefined
  if (refused !== undefined && isSame(entry?.given, given)) return entry
  return { given, source: given, stored: given, generated: entry?.generated ?? [] }
}

type Admits = Pick<Engine, 'admit' | 'parse'>

/** Asks, and says what is there then. Without policies everything is let in. */
export function answered(due: Due, engine: Admits, policies: AdmissionPolicies | undefined): Answered {
  const { given, operation, entry, user } = due
  const asked = { key: keyOf(given), given, operation }
  const gone = operation === 'DELETE'
  const asGiven: Entry = { given, source: given, stored: given, generated: entry?.generated ?? [] }
  if (policies === undefined) return { ...asked, entry: gone ? undefined : asGiven }
  const old = entry?.stored
  const said = engine.admit(
    {
      operation,
      object: given,
      ...(operation === 'UPDATE' && old !== undefined && { oldObject: old.object }),
      ...(user !== undefined && { user }),
    } satisfies AdmissionRequest,
    policies,
  )
  const admission = said.outcome === 'allow' && said.object.object !== given.object ? valid(said, engine) : said
  if (admission.outcome !== 'allow') {
    const stays = old === undefined ? {} : { stays: true as const }
    const refused = refusalOf(given, admission, { operation, refused: 'object', ...stays })
    // Of what is to go what was written last is known.
    const was = entry ?? { given, generated: [] }
    return { ...asked, admission, entry: { ...was, ...(!gone && { given }), refused } }
  }
  if (gone) return { ...asked, admission, entry: undefined }
  const stored = admission.object.object === given.object ? given : admission.object
  const there = asGiven.generated.filter(({ takenOut }) => takenOut === undefined)
  const { made, notMade } = takenOf(admission.generated, there, engine, policies)
  const before = asGiven.generated.filter((one) => !made.some((other) => keyOf(other) === keyOf(one)))
  const next: Entry = {
    given,
    source: given,
    stored,
    generated: [...made, ...before],
    ...(notMade.length > 0 && { notMade }),
  }
  return {
    ...asked,
    admission,
    entry: makesPods(given, entry)
      ? withPods(next, admission.pod, operation)
      : { ...next, ...(entry?.running !== undefined && { running: withTemplate(stored, templateOf(entry.running)) }) },
  }
}

/** What a policy has mutated has to be an object still: the API server looks at it after the policies. */
function valid(admission: Admission, engine: Pick<Engine, 'parse'>): Admission {
  const { object } = admission
  const wrong = whyInvalid(object, engine)
  if (wrong === undefined) return admission
  const message = `${object.kind} ${JSON.stringify(object.name)} is invalid once policies have mutated it: ${wrong}`
  const mutating = admission.steps.findIndex(({ code }) => code === 'admission.mutated')
  const refusal = { status: 422, reason: 'Invalid', message }
  return { ...admission, outcome: 'deny', decidedBy: mutating, generated: [], refusal }
}

function whyInvalid({ object, position }: Resource, { parse }: Pick<Engine, 'parse'>): string | undefined {
  try {
    parse(JSON.stringify(object), position([]).file)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Who makes what policies generate: Kyverno's background controller. */
const kyverno: Requester = {
  username: 'system:serviceaccount:kyverno:kyverno-background-controller',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kyverno', 'system:authenticated'],
}

/**
 * What policies are to make, without what the API server would not take: what is no object, and what is not admitted. What
 * is there as it is to be is not asked about again.
 */
export function takenOf(
  generated: readonly GeneratedResource[],
  before: readonly GeneratedResource[],
  engine: Admits,
  policies: AdmissionPolicies,
) {
  const made: GeneratedResource[] = []
  const notMade: Refusal[] = []
  for (const one of generated) {
    const there = before.find((other) => keyOf(other) === keyOf(one))
    if (isSame(there, one)) {
      made.push(one)
      continue
    }
    const wrong = whyInvalid(one, engine)
    if (wrong !== undefined) {
      notMade.push(invalid(one, wrong))
      continue
    }
    const operation = there === undefined ? 'CREATE' : 'UPDATE'
    const old = there === undefined ? {} : { oldObject: there.object }
    const said = engine.admit({ operation, object: one, ...old, user: kyverno }, policies)
    const admission = said.outcome === 'allow' && said.object.object !== one.object ? valid(said, engine) : said
    if (admission.outcome === 'allow') {
      const { goesWith } = one
      made.push({ ...admission.object, ...(goesWith !== undefined && { goesWith }) })
    } else
      notMade.push(
        refusalOf(one, admission, { operation, refused: 'object', ...(there !== undefined && { stays: true }) }),
      )
  }
  return { made, notMade }
}

function invalid(one: Resource, wrong: string): Refusal {
  const { file, line } = one.position([])
  const message = `${one.kind} ${JSON.stringify(one.name)}, which the policy here is to make, is invalid: ${wrong}`
  return {
    id: one.id,
    at: `${file}:${line}`,
    operation: 'CREATE',
    refused: 'object',
    outcome: 'deny',
    message,
    told: message,
  }
}

/** A controller may create no pod, and tries again with the policies that are in force by now. */
export function triedAgain(entry: Entry, { admit }: Admits, policies: AdmissionPolicies): Entry {
  const { stored, noPods } = entry
  if (stored === undefined || noPods === undefined) return entry
  const { noPods: _, ...rest } = entry
  if (replicasOf(stored) === 0) return rest
  const { pod } = admit({ operation: 'UPDATE', object: stored, oldObject: stored.object }, policies)
  // Somebody else than its controller may not change it: of its pods nothing was said.
  return pod === undefined ? entry : withPods(rest, pod, noPods.operation)
}

/** Other pods than it has: its first ones, more, or of another template. */
function makesPods(given: Resource, entry: Entry | undefined): boolean {
  if (replicasOf(given) === 0) return false
  const { source, noPods } = entry ?? {}
  if (source === undefined || noPods !== undefined) return true
  return replicasOf(given) > replicasOf(source) || !isDeepStrictEqual(templateOf(given), templateOf(source))
}

function withPods(entry: Entry, pod: Admission | undefined, operation: Operation): Entry {
  const { given, stored } = entry
  if (pod === undefined || stored === undefined) return entry
  if (pod.outcome !== 'allow') return { ...entry, noPods: refusalOf(given, pod, { operation, refused: 'pods' }) }
  if (!pod.steps.some(({ code }) => code === 'admission.mutated')) return entry
  const { metadata, spec } = pod.object.object as KubernetesObject & PodTemplate
  const { annotations } = metadata
  const labels = Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([name]) => !addedLabels.has(name)))
  const own = templateOf(stored) as PodTemplate | undefined
  const template = {
    ...own,
    metadata: { ...own?.metadata, labels, ...(annotations && { annotations }) },
    spec,
  }
  return isDeepStrictEqual(template, own) ? entry : { ...entry, running: withTemplate(stored, template) }
}

/** Every pod has its own of these, from its controller. */
const addedLabels: ReadonlySet<string> = new Set([
  'pod-template-hash',
  'controller-revision-hash',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
])

function withTemplate(stored: Resource, template: unknown): Resource {
  const object = stored.object as KubernetesObject & { readonly spec?: object }
  return changedResource(stored, { ...object, spec: { ...object.spec, template } } as KubernetesObject)
}
