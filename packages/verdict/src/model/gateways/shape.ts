/*
 * An overlay may make of an object what is none any more. The API server refuses that, and so istiod runs nothing; here
 * nobody may stumble over it. Only what is read afterwards is looked at.
 */

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isPort = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65535
const isText = (value: unknown): boolean => typeof value === 'string'
const isFlag = (value: unknown): boolean => typeof value === 'boolean'
const optional =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || is(value)
const isTexts = (value: unknown): boolean => isFields(value) && Object.values(value).every(isText)
const isListOf =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(is)

const isContainer = (value: unknown): boolean =>
  isFields(value) &&
  isText(value.name) &&
  isText(value.image) &&
  optional(isListOf((port) => isFields(port) && isPort(port.containerPort)))(value.ports) &&
  optional(isFields)(value.securityContext) &&
  optional(isText)(value.restartPolicy)

type Row = readonly [path: string, is: (value: unknown) => boolean, needed: string]

const common: readonly Row[] = [
  ['metadata', isFields, 'an object'],
  ['metadata.labels', optional(isTexts), 'an object of text'],
  ['metadata.annotations', optional(isTexts), 'an object of text'],
]

const rows: Readonly<Record<string, readonly Row[]>> = {
  ServiceAccount: [...common, ['automountServiceAccountToken', optional(isFlag), 'true or false']],
  Deployment: [
    ...common,
    ['spec.selector.matchLabels', isTexts, 'an object of text'],
    ['spec.template.metadata.labels', isTexts, 'an object of text'],
    ['spec.template.metadata.annotations', optional(isTexts), 'an object of text'],
    ['spec.template.spec', isFields, 'an object'],
    ['spec.template.spec.serviceAccountName', optional(isText), 'text'],
    ['spec.template.spec.serviceAccount', optional(isText), 'text'],
    ['spec.template.spec.hostNetwork', optional(isFlag), 'true or false'],
    ['spec.template.spec.automountServiceAccountToken', optional(isFlag), 'true or false'],
    ['spec.template.spec.containers', isListOf(isContainer), 'a list of containers'],
    ['spec.template.spec.containers', (list) => Array.isArray(list) && list.length > 0, 'at least one container'],
    ['spec.template.spec.initContainers', optional(isListOf(isContainer)), 'a list of containers'],
    ['spec.template.spec.volumes', optional(isListOf((one) => isFields(one) && isText(one.name))), 'a list of volumes'],
    ['spec.template.spec.tolerations', optional(isListOf(isFields)), 'a list of objects'],
  ],
  Service: [
    ...common,
    ['spec', isFields, 'an object'],
    ['spec.ports', isListOf(isFields), 'a list of ports'],
    ['spec.ports', (list) => Array.isArray(list) && list.length > 0, 'at least one port'],
    ['spec.selector', optional(isTexts), 'an object of text'],
  ],
}

/** What of an object is not what it must be, as the end of a sentence; undefined when nothing is. */
export function misshapen(kind: string, object: unknown): string | undefined {
  if (at(object, 'kind') !== kind) return `makes something else of the ${kind}`
  const wrong = rows[kind]?.find(([path, is]) => !is(at(object, path)))
  if (wrong !== undefined) return `leaves ${wrong[0]} without ${wrong[2]}`
  const selector = at(object, 'spec.selector.matchLabels')
  const labels = at(object, 'spec.template.metadata.labels')
  const misses = Object.entries(isFields(selector) ? selector : {}).some(
    ([name, value]) => !isFields(labels) || !Object.hasOwn(labels, name) || labels[name] !== value,
  )
  return kind === 'Deployment' && misses ? 'takes labels from the pods that the selector asks for' : undefined
}

function at(value: unknown, path: string): unknown {
  let current = value
  for (const step of path.split('.'))
    current = isFields(current) && Object.hasOwn(current, step) ? current[step] : undefined
  return current
}
