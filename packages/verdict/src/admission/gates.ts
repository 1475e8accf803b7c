import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { type GateWord, silent } from './gate.js'
import { mutatingRefusal, validatingRefusal, vapRefusal, warningsOf } from './refusals.js'
import { mutated } from './review.js'
import { isNamespace, isOldForm } from './targets.js'
import type { AdmissionStep, Review, Reviewer } from './types.js'

/*
 * The gates that policies of a set stand at. A policy that fails in itself refuses nothing here that its own review does
 * not refuse: whether it does is for its failurePolicy to say.
 */

/**
 * Each policy sees what those before it made of the object. The webhook of the old form is asked again where another one
 * behind it changed the object (its reinvocationPolicy is IfNeeded; the others' is Never).
 */
export function mutatingGate(
  reviewers: readonly Reviewer[],
  asked: Review,
  resources: readonly Resource[],
): { readonly word: GateWord; readonly review: Review } {
  const inScope = kyvernoInScope(reviewers, asked)
  const steps: AdmissionStep[] = [...inScope.left]
  let review = asked
  let changedSince = false
  const ask = (reviewer: Reviewer, again: boolean): void => {
    const { steps: own, object } = reviewer.review(review)
    const changes = object !== undefined && !own.some(({ outcome }) => outcome === 'deny')
    // Asked again, it has said already what it has nothing against.
    if (!again || own.some(({ code }) => code !== 'admission.allowed' && code !== 'admission.not-matched')) {
      steps.push(...own)
    }
    if (changes) review = mutated(review, object)
    changedSince = isOldForm(reviewer.policy) ? false : changedSince || changes
  }
  for (const reviewer of inScope.reviewers) ask(reviewer, false)
  const again = inScope.reviewers.filter(({ policy }) => isOldForm(policy))
  if (changedSince && again.length > 0 && !isOldForm(inScope.reviewers.at(-1)?.policy)) {
    for (const reviewer of again) ask(reviewer, true)
  }
  return { word: { steps, warnings: warningsOf(steps), ...mutatingRefusal(steps, asked, resources) }, review }
}

/** ValidatingAdmissionPolicy: the API server's own, and in every namespace. */
export function vapGate(reviewers: readonly Reviewer[], review: Review): GateWord {
  const steps = reviewers.filter(({ engine }) => engine === 'vap').flatMap((one) => one.review(review).steps)
  return { steps, warnings: warningsOf(steps), ...vapRefusal(steps, review) }
}

export function kyvernoGate(reviewers: readonly Reviewer[], review: Review, resources: readonly Resource[]): GateWord {
  const inScope = kyvernoInScope(
    reviewers.filter(({ engine }) => engine === 'kyverno'),
    review,
  )
  if (inScope.reviewers.length === 0) return { ...silent, steps: inScope.left }
  const steps = inScope.reviewers.flatMap((one) => one.review(review).steps)
  return { steps, warnings: warningsOf(steps), ...validatingRefusal(steps, review, resources) }
}

/** What the policies make of an object that was let in. */
export function generatingGate(
  reviewers: readonly Reviewer[],
  review: Review,
): { readonly steps: readonly AdmissionStep[]; readonly made: readonly Made[] } {
  const inScope = kyvernoInScope(reviewers, review)
  const words = inScope.reviewers.map((reviewer) => ({ reviewer, word: reviewer.review(review) }))
  return {
    steps: words.flatMap(({ word }) => word.steps),
    made: words.map(({ reviewer, word }) => ({
      policy: reviewer.policy,
      objects: word.generated ?? [],
      going: word.going ?? [],
    })),
  }
}

/** What one policy made. */
export interface Made {
  readonly policy: string
  readonly objects: readonly KubernetesObject[]
  readonly going: readonly KubernetesObject[]
}

/** Namespaces that the webhooks of Kyverno's chart are not asked about, so that a mistake in a policy cannot end the cluster. */
const leftOut = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'kyverno'])

function kyvernoInScope(
  reviewers: readonly Reviewer[],
  { request, namespace }: Review,
): { readonly reviewers: readonly Reviewer[]; readonly left: readonly AdmissionStep[] } {
  const name = isNamespace(request.object.object) ? request.object.name : namespace
  const ofKyverno = reviewers.filter(({ engine }) => engine === 'kyverno')
  if (name === undefined || !leftOut.has(name) || ofKyverno.length === 0) return { reviewers, left: [] }
  const does = ofKyverno[0]?.does ?? 'validate'
  return {
    reviewers: reviewers.filter(({ engine }) => engine !== 'kyverno'),
    left: [
      {
        engine: 'kyverno',
        does,
        outcome: 'not-applicable',
        code: 'admission.not-matched',
        policy: 'Kyverno',
        facts: { why: `its webhooks are not asked about the namespace ${name}` },
      },
    ],
  }
}
