import { didYouMean } from '@bulkhead/resources/suggest'
import type { z } from 'zod'
import type { Problem } from './check.js'

/** One problem per unknown field, at the field; in a choice of forms, the problems inside of the form that was meant. */
export function problemsOf(issue: z.core.$ZodIssue): readonly Problem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: `unknown field "${key}"` }))
  }
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((issues) => issues.length > 0 && issues.every((inner) => inner.path.length > 0))
    if (meant !== undefined)
      return meant.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }))
  }
  const field = path.length === 0 ? 'the scenario' : `"${path.join('.')}"`
  if (issue.input === undefined && issue.code !== 'invalid_key')
    return [{ path, message: `${field} is missing, and must be set` }]
  return [{ path, message: `${field}: ${sentenceOf(issue)}` }]
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}${didYouMean(String(issue.input), issue.values.map(String))}`
    case 'invalid_type': {
      // What is written without quotes is read as Kubernetes reads it: `on` is true.
      const hint = issue.expected === 'string' && typeof issue.input !== 'object' ? '; put it in quotes' : ''
      return `must be ${/^[ao]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}, and is ${JSON.stringify(issue.input)?.slice(0, 80)}${hint}`
    }
    default:
      return issue.message
  }
}
