import type { Review } from '../../../types.js'
import { type Dict, field, isDict, isList, textOf } from '../data.js'
import { NotModelled } from '../limits.js'
import type { Context, Entry } from '../variables/context.js'
import { readExpression } from '../variables/expression.js'
import { evaluate, QueryError } from '../variables/interpreter.js'
import { substitute } from '../variables/substitute.js'
import { answerOf } from './api-call.js'

/*
 * The entries of a rule's `context`: variables, ConfigMaps and calls to the API server, as far as the objects of the set
 * answer them.
 */

/** @param policyNamespace of a Policy, whose entries stay inside of it. */
export function entriesOf(context: unknown, review: Review, policyNamespace: string | undefined): Entry[] {
  if (!isList(context)) return []
  return context.filter(isDict).map((entry) => {
    const name = textOf(entry.name) ?? ''
    return { name, load: (known) => load(name, entry, known, review, policyNamespace) }
  })
}

function load(
  name: string,
  entry: Dict,
  context: Context,
  review: Review,
  policyNamespace: string | undefined,
): unknown {
  if (isDict(entry.variable)) return variable(name, entry.variable, context)
  if (isDict(entry.configMap)) return configMap(name, entry.configMap, context, review, policyNamespace)
  if (isDict(entry.apiCall)) return apiCall(name, entry.apiCall, context, review, policyNamespace)
  throw new NotModelled(
    `the context entry ${name} (${['imageRegistry', 'globalReference'].find((one) => entry[one] !== undefined) ?? 'of a kind that is not known'})`,
  )
}

function variable(name: string, entry: Dict, context: Context): unknown {
  const written = textOf(entry.jmesPath) ?? ''
  const path = written === '' ? '' : put(name, written, context)
  if (typeof path !== 'string') throw new QueryError(`jmespath value must be a string ${name} ${written}: <nil>`)
  const fallback = entry.default === undefined ? null : put(name, entry.default, context)
  let output = fallback
  if (entry.value !== undefined && entry.value !== null) {
    const value = put(name, entry.value, context)
    output = path === '' ? value : (attempt(name, path, fallback, () => search(path, value, context)) ?? fallback)
  } else if (path !== '') {
    output = attempt(name, path, fallback, () => context.query(path)) ?? fallback
  }
  if (output === null || output === undefined)
    throw new QueryError(`failed to add context entry for variable ${name} since it evaluated to nil`)
  return output
}

/** What fails is the default, where there is one. */
function attempt(name: string, path: string, fallback: unknown, does: () => unknown): unknown {
  try {
    return does()
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    if (fallback !== null) return fallback
    throw new QueryError(`failed to apply jmespath ${path} to variable ${name}: ${error.message}`)
  }
}

function put(name: string, document: unknown, context: Context): unknown {
  try {
    return substitute(document, context)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    throw new QueryError(`failed to substitute variables in context entry ${name}: ${error.message}`)
  }
}

function search(path: string, data: unknown, context: Context): unknown {
  try {
    return evaluate(readExpression(path), data, context.budget)
  } catch (error) {
    if (error instanceof Error && error.name === 'ExpressionError') throw new QueryError(error.message)
    throw error
  }
}

function configMap(
  entry: string,
  written: Dict,
  context: Context,
  review: Review,
  policyNamespace: string | undefined,
): unknown {
  const text = (what: 'name' | 'namespace') => {
    const value = substitute(written[what] ?? '', context)
    if (typeof value === 'string') return value
    throw new QueryError(`failed to substitute variables in context ${entry} configMap.${what}`)
  }
  const [name, asked] = [text('name'), text('namespace')]
  const namespace = asked === '' ? (policyNamespace ?? 'default') : asked
  const failed = `failed to retrieve config map for context entry ${entry}`
  if (policyNamespace !== undefined && namespace !== policyNamespace)
    throw new QueryError(
      `${failed}: context entry ${entry}: configMap namespace "${namespace}" is different from policy namespace "${policyNamespace}"`,
    )
  const found = review.get('v1', 'configmaps', namespace, name)
  if (found === undefined)
    throw new QueryError(`${failed}: failed to get configmap ${namespace}/${name} : configmaps "${name}" not found`)
  return { data: field(found, 'data') ?? null, metadata: field(found, 'metadata') ?? {} }
}

function apiCall(
  name: string,
  written: Dict,
  context: Context,
  review: Review,
  policyNamespace: string | undefined,
): unknown {
  if (written.service !== undefined || (textOf(written.method) ?? 'GET') !== 'GET')
    throw new NotModelled(`the context entry ${name}: a call that changes something, or to a service`)
  const path = put(name, written.urlPath ?? '', context)
  const data = answerOf(typeof path === 'string' ? path : '', review, policyNamespace)
  if (data === undefined) {
    if (written.default !== undefined) return written.default
    throw new QueryError(
      `failed to fetch data for APICall: failed to get resource with raw url\n: ${String(path)}: the server could not find the requested resource`,
    )
  }
  const query = textOf(written.jmesPath) ?? ''
  if (query === '') return data
  const expression = put(name, query, context)
  return search(typeof expression === 'string' ? expression : '', data, context)
}
