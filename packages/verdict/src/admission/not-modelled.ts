import type { Resource } from '@bulkhead/resources'
import { at, groupOf } from '../model/kinds.js'
import { field, list } from './match/fields.js'
import { compileMatch, type Matches } from './match/match.js'
import type { AdmissionPolicies, AdmissionStep, Review, Reviewed, Reviewer } from './types.js'

/*
 * Policies and webhooks that have a word in admission, and that are not modelled: what they match is unknown.
 */

interface Kind extends Pick<Reviewer, 'engine' | 'does'> {
  readonly what: string
  /** Whether it is in force, and what it is asked about. */
  matches(resource: Resource, resources: readonly Resource[]): readonly Matches[]
}

const byConstraints = ({ object }: Resource): readonly Matches[] => [
  compileMatch(field(object, 'spec', 'matchConstraints')),
]

/** Without a binding nobody is asked. */
const whereBound = (resource: Resource, resources: readonly Resource[]): readonly Matches[] =>
  resources.some(
    ({ kind, object }) =>
      kind === 'MutatingAdmissionPolicyBinding' && field(object, 'spec', 'policyName') === resource.name,
  )
    ? byConstraints(resource)
    : []

const byWebhooks = ({ object }: Resource): readonly Matches[] =>
  list(field(object, 'webhooks')).map((webhook) =>
    compileMatch({
      resourceRules: field(webhook, 'rules'),
      namespaceSelector: field(webhook, 'namespaceSelector'),
      objectSelector: field(webhook, 'objectSelector'),
      matchPolicy: field(webhook, 'matchPolicy'),
    }),
  )

const imageVerification: Kind = {
  engine: 'kyverno',
  does: 'validate',
  what: "verification of images' signatures",
  matches: byConstraints,
}

const kinds: Readonly<Record<string, Kind>> = {
  'policies.kyverno.io/ImageValidatingPolicy': imageVerification,
  'policies.kyverno.io/NamespacedImageValidatingPolicy': imageVerification,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': {
    engine: 'vap',
    does: 'mutate',
    what: 'MutatingAdmissionPolicy',
    matches: whereBound,
  },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': {
    engine: 'vap',
    does: 'mutate',
    what: 'a webhook of its own',
    matches: byWebhooks,
  },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': {
    engine: 'vap',
    does: 'validate',
    what: 'a webhook of its own',
    matches: byWebhooks,
  },
}

/** A reviewer for each of them, which says no more than that it is asked. */
export function readNotModelled(resources: readonly Resource[]): {
  readonly reviewers: readonly Reviewer[]
  readonly notModelled: AdmissionPolicies['notModelled']
} {
  const found = resources.flatMap((resource) => {
    const name = `${groupOf(resource.object)}/${resource.kind}`
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    return kind === undefined ? [] : [{ resource, kind, reviewer: new NotModelled(resource, kind, resources) }]
  })
  return {
    reviewers: found.map(({ reviewer }) => reviewer),
    notModelled: found.map(({ resource, kind }) => ({ id: resource.id, what: kind.what, at: at(resource) })),
  }
}

class NotModelled implements Reviewer {
  readonly policy: string
  readonly engine: Reviewer['engine']
  readonly does: Reviewer['does']
  readonly #matches: readonly Matches[]
  readonly #resource: Resource
  readonly #what: string

  constructor(resource: Resource, { engine, does, what, matches }: Kind, resources: readonly Resource[]) {
    this.policy = resource.id
    this.engine = engine
    this.does = does
    this.#what = what
    this.#resource = resource
    this.#matches = matches(resource, resources)
  }

  review(review: Review): Reviewed {
    const { layer, namespace } = this.#resource
    const elsewhere = namespace !== undefined && namespace !== review.namespace
    const isAsked = !elsewhere && this.#matches.some((matches) => matches(review))
    const step: AdmissionStep = {
      engine: this.engine,
      does: this.does,
      ...(layer !== undefined && { layer }),
      outcome: isAsked ? 'unknown' : 'not-applicable',
      code: isAsked ? 'not-modelled' : 'admission.not-matched',
      policy: this.policy,
      at: at(this.#resource),
      facts: isAsked ? { what: this.#what } : { why: 'it is not asked about this object' },
    }
    return { steps: [step] }
  }
}
