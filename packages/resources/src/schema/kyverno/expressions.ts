import { quote } from '../../diagnostics.js'
import { type Fields, isSet } from '../../plain.js'
import { didYouMean } from '../../suggest.js'
import { selector } from '../gateway-api/selector.js'
import type { At, ObjectSchema, Schema } from '../schema.js'
import { boolean, integer, list, object, string } from '../schema.js'

/* What the policies of policies.kyverno.io share. Source: their CustomResourceDefinitions, and Kyverno's own webhook for policies. */

/** A CEL expression. Its text is read by the engine; that there is none is told here. */
export const expression = string({
  check: (text, at) => {
    if (text.trim() === '') at.error('expression.empty', 'an expression is needed, and this is empty')
  },
})

const named = (rest: { atomic?: boolean } = {}): Schema =>
  list(object({ name: string({ check: checkName }), expression }, { required: ['name', 'expression'] }), {
    ...(rest.atomic !== true && { unique: { field: 'name' } }),
  })

function checkName(name: string, at: At): void {
  if (name === '') at.error('value.empty', 'the name is empty, and must be set')
}

export const matchConditions = named()
/** Of a PolicyException: its definition does not hold the names apart. */
export const looseMatchConditions = named({ atomic: true })

const variable = object(
  {
    name: string({
      check: (name, at) => {
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
          at.error(
            'variable.name',
            `${quote(name)} cannot be said as variables.<name>: a name is of letters, digits and "_", and begins with no digit`,
          )
      },
    }),
    expression,
  },
  { required: ['name', 'expression'] },
)
export const variables = list(variable, { unique: { field: 'name' } })
/** Of `validate.cel`, whose definition does not hold the names apart. */
export const looseVariables = list(variable)

export const auditAnnotation = object(
  { key: string(), valueExpression: expression },
  { required: ['key', 'valueExpression'] },
)

export const validations = list(
  object(
    { expression, message: string(), messageExpression: string(), reason: string() },
    { required: ['expression'], check: checkMessages },
  ),
)

function checkMessages({ message, messageExpression }: Fields, at: At): void {
  if (!isSet(message) && !isSet(messageExpression))
    at.warn(
      'validation.message',
      'without a message whoever is refused reads the expression; say in message what is wrong and what to do',
    )
}

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT', '*']

const names = list(string())
const resourceRule = object(
  {
    apiGroups: names,
    apiVersions: names,
    operations: list(
      string({
        check: (operation, at) => {
          if (!OPERATIONS.includes(operation))
            at.error(
              'match.operation',
              `no request has the operation ${quote(operation)}; there are ${OPERATIONS.join(', ')}${didYouMean(operation, OPERATIONS)}`,
            )
        },
      }),
    ),
    resourceNames: names,
    resources: list(string({ check: checkResource })),
    scope: string({ check: oneOf('match.scope', ['Cluster', 'Namespaced', '*']) }),
  },
  { check: checkResourceRule },
)

/** As the API server does it of the webhooks that Kyverno makes of such rules. */
function checkResourceRule(rule: Fields, at: At): void {
  for (const name of ['apiGroups', 'apiVersions', 'operations', 'resources']) {
    const items = rule[name]
    if (!Array.isArray(items) || items.length === 0)
      at.warn('match.nothing', `without ${name} the rule is about nothing; name them, or write ["*"]`)
  }
}

function checkResource(resource: string, at: At): void {
  const [plural = ''] = resource.split('/')
  if (plural === '' && !resource.startsWith('/'))
    at.error(
      'match.resource',
      `${quote(resource)} is no resource, as pods, deployments or pods/ephemeralcontainers are`,
    )
  else if (/[A-Z]/.test(plural))
    at.warn(
      'match.resource',
      `resources are named in the plural and in small letters, so ${quote(resource)} is none${didYouMean(`${plural.toLowerCase()}s`, [`${plural.toLowerCase()}s`])}`,
    )
}

const constraintFields = {
  excludeResourceRules: list(resourceRule),
  matchPolicy: string({ check: oneOf('match.policy', ['Exact', 'Equivalent']) }),
  namespaceSelector: selector,
  objectSelector: selector,
  resourceRules: list(resourceRule),
}

export const matchConstraints = object(constraintFields)
export const targetMatchConstraints = object({ ...constraintFields, expression: string() })

/** Of every policy that is asked at admission. */
export function checkConstraints({ matchConstraints: constraints }: Fields, at: At): void {
  const rules = isSet(constraints) ? (constraints as Fields).resourceRules : undefined
  if (!Array.isArray(rules) || rules.length === 0)
    at.at(...(isSet(constraints) ? ['matchConstraints'] : [])).error(
      'match.missing',
      'matchConstraints with at least one of resourceRules must be set: which objects the policy is about',
    )
}

/** A value that the definition leaves open, and that Kyverno or the API server takes some of only. */
export function oneOf(code: string, values: readonly string[]): (text: string, at: At) => void {
  return (text, at) => {
    if (!values.includes(text))
      at.error(code, `${quote(text)} is none of ${values.join(', ')}${didYouMean(text, values)}`)
  }
}

const enabled = object({ enabled: boolean })

export const evaluation = (more: Readonly<Record<string, Schema>> = {}): ObjectSchema =>
  object({ admission: enabled, ...more })
export const switchable = enabled
export const evaluationMode = string({ check: oneOf('evaluation.mode', ['Kubernetes', 'JSON']) })

export const failurePolicy = string({ oneOf: ['Ignore', 'Fail'] })
export const webhookConfiguration = object({ timeoutSeconds: integer }, { check: checkTimeout })

export function checkTimeout({ timeoutSeconds }: Fields, at: At): void {
  checkSeconds(timeoutSeconds, at.at('timeoutSeconds'))
}

export function checkSeconds(seconds: unknown, at: At): void {
  if (typeof seconds === 'number' && (seconds < 1 || seconds > 30))
    at.error('webhook.timeout', `the API server waits 1 to 30 s, not ${seconds}`)
}

const CONTROLLERS = [
  ...['daemonsets', 'deployments', 'jobs', 'statefulsets', 'replicasets', 'replicationcontrollers', 'cronjobs'],
]

export const podControllers = object({
  controllers: list(
    string({
      check: (name, at) => {
        if (!CONTROLLERS.includes(name))
          at.warn(
            'autogen.controller',
            `${quote(name)} is no controller of pods, so no rule is made for it${didYouMean(name, CONTROLLERS)}`,
          )
      },
    }),
  ),
})
