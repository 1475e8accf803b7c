import type { Outcome, Step, Symptom, Verdict } from '@bulkhead/verdict'
import { sentence } from '@bulkhead/verdict/words'

/*
 * What a verdict rests on, in words that do not depend on who calls: flows with the same reason are shown as one.
 */

/** The short form of a verdict, for programs: nothing in it changes when other objects are added. */
export interface Answer {
  readonly outcome: Outcome
  readonly symptom: Symptom
  /** The step that it rests on. */
  readonly by?: Pick<Step, 'point' | 'layer' | 'code' | 'policy' | 'rule' | 'at' | 'isolatedBy'>
}

export function answerOf(verdict: Verdict, instead?: Verdict): Answer {
  const { outcome, symptom } = verdict
  const step = instead === undefined ? decidingSteps(verdict).at(-1) : stepInstead(verdict, instead)
  if (step === undefined) return { outcome, symptom }
  const { point, layer, code, policy, rule, at, isolatedBy } = step
  const by = {
    point,
    ...(layer !== undefined && { layer }),
    code,
    ...(policy !== undefined && { policy }),
    ...(rule !== undefined && { rule }),
    ...(at !== undefined && { at }),
    ...(isolatedBy !== undefined && { isolatedBy }),
  }
  return { outcome, symptom, by }
}

/** The layer that a step speaks for; `50-identity and 70-ingress` where policies of both isolate, and neither is accused. */
export function layerOf({ layer, isolatedBy = [] }: Step): string | undefined {
  if (layer !== undefined) return layer
  const layers = new Set(isolatedBy.flatMap((policy) => policy.layer ?? []))
  return layers.size === 0 ? undefined : [...layers].sort().join(' and ')
}

/**
 * The steps that a verdict rests on: the one that denies, or cannot say; for an allowed flow every one that lets it on.
 * That the caller could show an identity (mtls) lets nobody in.
 */
export function decidingSteps({ outcome, steps, decidedBy }: Verdict): readonly Step[] {
  if (outcome === 'deny') return steps.filter((_, index) => index === decidedBy?.step)
  if (outcome === 'unknown') return steps.filter((step) => step.outcome === 'unknown').slice(0, 1)
  return steps.filter(({ code }) => !code.startsWith('mtls.'))
}

/** Of an allowed flow the step that stands where `other` was denied; else what the verdict rests on. */
export function stepInstead(verdict: Verdict, other: Verdict | undefined): Step | undefined {
  const denied = other?.decidedBy === undefined ? undefined : other.steps[other.decidedBy.step]
  if (verdict.outcome === 'allow' && denied !== undefined) {
    const there = verdict.steps.find((step) => samePlace(step, denied))
    if (there !== undefined) return there
  }
  const deciding = decidingSteps(verdict)
  return deciding.findLast(({ rule }) => rule !== undefined) ?? deciding.at(-1)
}

/** Of two allowed flows the first step with a rule of another policy or layer than the other's step at that place has. */
export function stepThatDiffers(verdict: Verdict, other: Verdict): Step | undefined {
  return decidingSteps(verdict).find((step) => {
    const there = other.steps.find((one) => samePlace(one, step))
    return step.rule !== undefined && (there?.policy !== step.policy || there?.layer !== step.layer)
  })
}

/** The same set of rules at the same point: PeerAuthentication is another set than AuthorizationPolicy. */
function samePlace(a: Step, b: Step): boolean {
  const family = ({ code }: Step): string => code.slice(0, code.indexOf('.'))
  return a.hop === b.hop && a.point === b.point && a.engine === b.engine && family(a) === family(b)
}

export interface WordsOptions {
  /**
   * Whether places in the files are named, and every policy that isolates. Not for what was: it may stand elsewhere now, or
   * nowhere.
   */
  readonly places: boolean
}

/** `rule 1 of AuthorizationPolicy/shop/web-api-rbac (k8s/layers/50-identity/shop/web-api-rbac.yaml:32)` */
export function lettingWords(step: Step | undefined, { places }: WordsOptions): string {
  if (step === undefined) return 'nothing stops it'
  const { code, policy, rule, at } = step
  const place = places && at !== undefined ? ` (${at})` : ''
  if (rule !== undefined) return `rule ${rule} of ${policy}${place}`
  if (code === 'network.no-policy') return `no network policy isolates ${end(step)}`
  if (code === 'mtls.strict-identity') return `the caller has an identity, as ${policy} wants${place}`
  return `${sentence(step)}${place}`
}

/** Whom the policies of a step of the network's protect. */
const end = ({ point }: Step): string => (point === 'cni-egress' ? 'the caller' : 'what is called')

/** Before a connection to a name its address is asked for, and that may be stopped already. */
const asking = ({ facts }: Step): string => (facts?.query === undefined ? '' : 'asking for the name, ')

/** `50-identity: no rule of AuthorizationPolicy/shop/allow-nothing (k8s/...:21) lists it` */
export function stoppingWords(step: Step | undefined, { places }: WordsOptions): string {
  if (step === undefined) return 'something that is not modelled'
  const place = (at: string | undefined): string => (places && at !== undefined ? ` (${at})` : '')
  const layer = layerOf(step)
  const by = layer === undefined ? '' : `${layer}: `
  switch (step.code) {
    case 'authz.no-rule-allows': {
      if (!places) return `${by}no rule lists it`
      // Every policy that isolates is named, and none accused.
      const policies = (step.isolatedBy ?? []).map(({ policy, at }) => `${policy}${place(at)}`)
      return `${by}no rule of ${policies.join(' or ') || 'any ALLOW policy'} lists it`
    }
    case 'authz.rule-denies':
      return `${by}rule ${step.rule} of ${step.policy} denies it${place(step.at)}`
    case 'cni.default-deny': {
      // Each pod has policies of its own that isolate it: where they are a layer's, its name says more than theirs.
      const policies = layer === undefined && places ? (step.isolatedBy ?? []) : []
      const named = policies.map(({ policy, at }) => `${policy}${place(at)}`).join(' or ')
      const whose = named === '' ? '' : ` of ${named}`
      return `${by}${asking(step)}no rule${whose} lets it ${step.point === 'cni-egress' ? 'out' : 'in'}`
    }
    case 'cni.rule-denies':
      return `${by}${asking(step)}rule ${step.rule} of ${step.policy} denies it${place(step.at)}`
    case 'cni.sni-denied':
      return `${by}rule ${step.rule} of ${step.policy} lists no such server name${place(step.at)}`
    case 'cni.http-denied':
      return `${by}rule ${step.rule} of ${step.policy} lists no such request${place(step.at)}`
    case 'cni.dns-denied':
      return `${by}rule ${step.rule} of ${step.policy} does not list the name ${step.facts?.query}${place(step.at)}`
    case 'mtls.strict-no-identity':
      return `${by}${step.policy} says STRICT, and the caller has no identity${place(step.at)}`
    default:
      return `${by}${sentence(step)}${place(step.at)}`
  }
}
