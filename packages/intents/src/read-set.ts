import type { z } from 'zod'
import { MAX_INTENTS, MAX_LABELS } from './limits.js'
import { intentSchema, versionSchema } from './schemas.js'
import type { Intent, IntentSet } from './types.js'

/** What is wrong with a set, at which place: `intents[3].priority`. */
export interface SetProblem {
  readonly field: string
  readonly message: string
  /** A value is missing, or of another type than the one that stands there. */
  readonly type: boolean
}

/** A page of problems is enough to go on with; and a body of 4 MiB could hold half a million. */
const MOST_PROBLEMS = 20

/**
 * Reads a set that came over the wire, whatever it is: counts come before contents, so that what is refused costs little.
 * Either it, or what is wrong with it.
 */
export function readIntentSet(value: unknown): IntentSet | readonly SetProblem[] {
  if (!isObject(value)) return [{ field: 'body', message: 'is no object', type: true }]
  const problems: SetProblem[] = []
  const version = versionSchema.safeParse(value.version)
  if (!version.success) problems.push(...problemsOf(version.error, 'version'))
  const given = value.intents
  if (!Array.isArray(given)) return [...problems, { field: 'intents', message: 'is no list', type: true }]
  if (given.length > MAX_INTENTS)
    return [...problems, { field: 'intents', message: `holds more than ${MAX_INTENTS} intents`, type: false }]
  const intents: Intent[] = []
  for (const [index, one] of given.entries()) {
    const place = `intents[${index}]`
    const read = tooManyLabels(one) ?? intentSchema.safeParse(one)
    if (typeof read === 'string') problems.push({ field: `${place}.podLabels`, message: read, type: false })
    else if (read.success) intents.push(read.data)
    else problems.push(...problemsOf(read.error, place))
    if (problems.length >= MOST_PROBLEMS) break
  }
  if (problems.length > 0 || !version.success) return problems.slice(0, MOST_PROBLEMS)
  return { version: version.data, intents }
}

function tooManyLabels(one: unknown): string | undefined {
  if (!isObject(one) || !isObject(one.podLabels) || Object.keys(one.podLabels).length <= MAX_LABELS) return undefined
  return `has more than ${MAX_LABELS} labels`
}

function problemsOf({ issues }: z.ZodError, place: string): SetProblem[] {
  return issues.slice(0, MOST_PROBLEMS).map(({ code, path, message }) => ({
    field: path.reduce<string>((name, part) => `${name}.${String(part).slice(0, 320)}`, place),
    message,
    type: code === 'invalid_type',
  }))
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
