import type { FieldProblem } from '../api/failure.js'
import type { Selector, Strategy } from '../api/types.js'

/** A strategy as it stands in the form. */
export interface StrategyDraft {
  readonly strategyNamespace: string
  /** Separated by commas or blanks. */
  readonly namespaces: string
  readonly commandRegex: string
  readonly priority: string
  /** Nanoseconds. */
  readonly executionTime: string
  readonly selectors: readonly Selector[]
}

export const emptyDraft: StrategyDraft = {
  strategyNamespace: '',
  namespaces: '',
  commandRegex: '',
  priority: '10',
  executionTime: '20000000',
  selectors: [{ key: '', value: '' }],
}

export const draftOf = (strategy: Strategy): StrategyDraft => ({
  strategyNamespace: strategy.strategyNamespace,
  namespaces: strategy.k8sNamespace.join(', '),
  commandRegex: strategy.commandRegex,
  priority: String(strategy.priority),
  executionTime: String(strategy.executionTime),
  selectors: strategy.labelSelectors.length === 0 ? [{ key: '', value: '' }] : strategy.labelSelectors,
})

export interface StrategyBody {
  readonly strategyNamespace: string
  readonly k8sNamespace: readonly string[]
  readonly labelSelectors: readonly Selector[]
  readonly commandRegex: string
  readonly priority: number
  readonly executionTime: number
}

/** What is sent, and which row of the form each selector of it came from: rows that are empty are left out. */
export interface Sent {
  readonly body: StrategyBody
  readonly rows: readonly number[]
}

/** By the field of the form that it stands next to: `priority`, `selectors`, `selectors.2.key`. */
export type Problems = Readonly<Record<string, string>>

/** Only what could not be sent at all is found here; everything else is for the service to say. */
export function readDraft(draft: StrategyDraft): Sent | { readonly problems: Problems } {
  const problems: Record<string, string> = {}
  const whole = (name: 'priority' | 'executionTime'): number => {
    const text = draft[name].trim()
    if (!/^\d{1,15}$/.test(text)) problems[name] = 'must be a whole number, in digits'
    return Number(text)
  }
  const priority = whole('priority')
  const executionTime = whole('executionTime')
  const rows = draft.selectors.flatMap(({ key, value }, row) => (key.trim() === '' && value.trim() === '' ? [] : [row]))
  for (const row of rows)
    if (draft.selectors[row]?.key.trim() === '') problems[`selectors.${row}.key`] = 'A value needs a key.'
  if (Object.keys(problems).length > 0) return { problems }
  return {
    rows,
    body: {
      strategyNamespace: draft.strategyNamespace.trim(),
      k8sNamespace: draft.namespaces.split(/[\s,]+/).filter((name) => name !== ''),
      labelSelectors: rows.map((row) => ({
        key: draft.selectors[row]?.key.trim() ?? '',
        value: draft.selectors[row]?.value.trim() ?? '',
      })),
      commandRegex: draft.commandRegex,
      priority,
      executionTime,
    },
  }
}

const TOO_WIDE = 'A label is needed here, or a namespace of pods above: otherwise it would be every pod of the cluster.'

/** What the service says of fields, at the fields of the form. */
export function placeProblems(fields: readonly FieldProblem[], { body, rows }: Sent): Problems {
  const placed: Record<string, string> = {}
  const put = (name: string, text: string): void => {
    placed[name] = placed[name] === undefined ? text : `${placed[name]}; ${text}`
  }
  for (const { field, message } of fields) {
    const [, list, index = '', , part] = /^(\w+)\[(\d+)\](\.(\w+))?$/.exec(field) ?? []
    if (list === 'labelSelectors') put(`selectors.${rows[Number(index)] ?? 0}.${part ?? 'key'}`, message)
    else if (list === 'k8sNamespace')
      put('namespaces', `${JSON.stringify(body.k8sNamespace[Number(index)])} ${message}`)
    else if (field === 'labelSelectors') put('selectors', /^or k8sNamespace/.test(message) ? TOO_WIDE : message)
    else if (field === 'k8sNamespace') put('namespaces', message)
    else put(field, message)
  }
  return placed
}

/** What a strategy is for, in one line each. */
export function criteriaWords({ k8sNamespace, labelSelectors, commandRegex }: Strategy): readonly string[] {
  return [
    k8sNamespace.length === 0 ? 'pods of all namespaces' : `pods of ${k8sNamespace.join(', ')}`,
    ...labelSelectors.map(({ key, value }) => (value === '' ? `with the label ${key}` : `with ${key}=${value}`)),
    ...(commandRegex === '' ? [] : [`whose command matches ${commandRegex}`]),
  ]
}
