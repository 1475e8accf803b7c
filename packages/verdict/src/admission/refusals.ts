import type { Resource } from '@bulkhead/resources'
import { rawField } from '../model/kinds.js'
import type { Refusal } from './gate.js'
import { goYaml } from './go-yaml.js'
import { field, list } from './match/fields.js'
import { mayRefuse } from './old-form.js'
import { groupResourceOf, isOldForm } from './targets.js'
import type { AdmissionStep, Review } from './types.js'

/*
 * The words of the API server for what policies refuse (semantics D.2), and those of the warnings.
 */

type Refused = { readonly refusal?: Refusal }

/** `Policy` of `Policy/shop/x`, and `x`. */
function named(policy = ''): { readonly kind: string; readonly name: string } {
  const parts = policy.split('/')
  return { kind: parts[0] ?? '', name: parts.at(-1) ?? '' }
}

const byOldForm = ({ policy }: AdmissionStep): boolean => isOldForm(policy)
const denies = ({ outcome }: AdmissionStep): boolean => outcome === 'deny'

/** A webhook's answer has no reason, so kubectl names none. */
const byWebhook = (webhook: string, message: string): Refused => ({
  refusal: {
    status: 400,
    reason: '',
    message: `admission webhook ${JSON.stringify(webhook)} denied the request: ${message}`,
  },
})

/** Reasons that a ValidatingAdmissionPolicy may give, with their status. */
const statuses: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
}

/** The first denial answers, whatever else denies. */
export function vapRefusal(steps: readonly AdmissionStep[], { request }: Review): Refused {
  const step = steps.find(denies)
  if (step === undefined) return {}
  const { object, name } = request.object
  const binding = step.facts?.binding
  const by = `ValidatingAdmissionPolicy '${named(step.policy).name}'${binding === undefined ? '' : ` with binding '${binding}'`}`
  const reason = String(step.facts?.reason ?? 'Invalid')
  const message = `${groupResourceOf(object)} ${JSON.stringify(name)} is forbidden: ${by} denied request: ${step.message ?? ''}`
  return { refusal: { status: statuses[reason] ?? 422, reason, message } }
}

/** Policies of today answer in one line, each that refuses; the old form answers with a table. The first of the two webhooks. */
export function validatingRefusal(
  steps: readonly AdmissionStep[],
  review: Review,
  resources: readonly Resource[],
): Refused {
  const today = steps.filter((step) => denies(step) && !byOldForm(step))
  const first = today[0]
  if (first !== undefined) {
    const webhook = webhookOf(first, resources)
    // What shares the webhook answers together; what has one of its own answers for itself.
    const together = today.filter((step) => webhookOf(step, resources) === webhook)
    return byWebhook(webhook, together.map(failed).join('; '))
  }
  if (!steps.some(denies)) return {}
  return byWebhook('validate.kyverno.svc-fail', blocked(steps.filter(byOldForm), review, resources))
}

const failed = (step: AdmissionStep): string =>
  `Policy ${named(step.policy).name} ${step.code === 'admission.failed' ? 'error' : 'failed'}: ${step.message ?? ''}`

const webhooks: Readonly<Record<string, string>> = {
  ValidatingPolicy: 'vpol.validate.kyverno.svc',
  NamespacedValidatingPolicy: 'nvpol.validate.kyverno.svc',
  MutatingPolicy: 'mpol.validate.kyverno.svc',
  NamespacedMutatingPolicy: 'nmpol.validate.kyverno.svc',
}

/** Conditions of its own, an exact matchPolicy and a timeout give a policy a webhook of its own. */
function webhookOf({ policy = '' }: AdmissionStep, resources: readonly Resource[]): string {
  const { kind, name } = named(policy)
  const base = webhooks[kind] ?? 'validate.kyverno.svc'
  const object = resources.find(({ id }) => id === policy)
  const spec = rawField(object?.object, 'spec')
  const fails = rawField(spec, 'failurePolicy') === 'Ignore' ? 'ignore' : 'fail'
  const conditions = rawField(spec, 'matchConditions')
  const own =
    (Array.isArray(conditions) && conditions.length > 0) ||
    rawField(spec, 'matchConstraints', 'matchPolicy') === 'Exact' ||
    rawField(spec, 'webhookConfiguration', 'timeoutSeconds') !== undefined
  if (!own) return `${base}-${fails}`
  const namespace = object?.namespace === undefined ? '' : `${object.namespace}-`
  return `${base}-${fails}-finegrained-${namespace}${name}`
}

/** Every rule that minds, of every policy that has one that may refuse: what of them refuses does not matter then. */
function blocked(steps: readonly AdmissionStep[], { request }: Review, resources: readonly Resource[]): string {
  const minding = steps.filter(({ outcome }) => ['deny', 'warn', 'audit'].includes(outcome))
  const policies = [...new Set(minding.map(({ policy }) => policy))].filter((policy) => {
    const spec = field(resources.find(({ id }) => id === policy)?.object, 'spec')
    return minding.some((step) => step.policy === policy && denies(step)) || mayRefuse(spec, list(field(spec, 'rules')))
  })
  const failures = Object.fromEntries(
    policies.map((policy) => [
      named(policy).name,
      Object.fromEntries(
        minding.filter((step) => step.policy === policy).map((step) => [step.rule ?? '', step.message ?? '']),
      ),
    ]),
  )
  const { kind, namespace = '', name } = request.object
  return `\n\nresource ${kind}/${namespace}/${name} was blocked due to the following policies \n\n${goYaml(failures)}`
}

/** Mutating policies that cannot be applied: their webhooks are asked one after the other, so the first one answers. */
export function mutatingRefusal(
  steps: readonly AdmissionStep[],
  { request }: Review,
  resources: readonly Resource[],
): Refused {
  const refused = steps.filter(denies)
  const [first] = refused
  if (first === undefined) return {}
  const { name } = named(first.policy)
  if (byOldForm(first)) {
    const rules = refused.filter(({ policy }) => policy === first.policy)
    const said = rules.map(({ rule = '', message = '' }) => `${rule}: ${message}`).join(' ')
    return byWebhook(
      'mutate.kyverno.svc-fail',
      `mutation policy ${name} error: failed to apply policy ${name} rules [${said}]`,
    )
  }
  const webhook = webhookOf(first, resources)
  const together = refused.filter((step) => !byOldForm(step) && webhookOf(step, resources) === webhook)
  const errors = together.map((step) => `Policy ${named(step.policy).name}: ${step.message ?? ''}`)
  const { object } = request
  return byWebhook(
    webhook,
    `Resource: ${object.namespace ?? ''}/${object.name}, Kind: ${object.kind}, Errors: [${errors.join(' ')}]`,
  )
}

/** What kubectl prints after `Warning: `, of the steps that only warn, and of those that refuse and warn. */
export function warningsOf(steps: readonly AdmissionStep[]): readonly string[] {
  return steps.flatMap((step) => {
    if (step.outcome !== 'warn' && step.facts?.warns !== 1) return []
    const { name } = named(step.policy)
    if (step.engine === 'vap') {
      const binding = step.facts?.binding
      const by = binding === undefined ? '' : ` with binding '${binding}'`
      return [`Validation failed for ValidatingAdmissionPolicy '${name}'${by}: ${step.message ?? ''}`]
    }
    if (byOldForm(step)) return [`policy ${name}.${step.rule ?? ''}: ${step.message ?? ''}`]
    return [failed(step)]
  })
}
