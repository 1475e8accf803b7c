import { quote } from '../../../diagnostics.js'
import { type Fields, isObject, isSet } from '../../../plain.js'
import { parseYaml } from '../../../yaml/documents.js'
import { selector } from '../../gateway-api/selector.js'
import type { At, Schema } from '../../schema.js'
import { boolean, list, object, open, string } from '../../schema.js'
import { checkOpenConditions, foreachConditions } from './conditions.js'
import { context } from './context.js'
import { checkPattern } from './pattern.js'

/* `mutate` and `generate` of a rule. Source: Kyverno's CustomResourceDefinitions and its webhook for policies. */

const PATCHES = ['patchStrategicMerge', 'patchesJson6902', 'foreach']
const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test']

/** Text in the policy: a list of operations in JSON or YAML, with variables that are not known yet. */
function checkJsonPatch(text: string, at: At): void {
  const known = text.replaceAll(/\{\{[\s\S]*?\}\}/g, 'variable')
  const { documents, problems } = parseYaml(known)
  const [problem] = problems
  const [first] = documents
  if (problem !== undefined || first === undefined) {
    at.error('patch.syntax', `cannot be read as a list of operations: ${problem?.message ?? 'it is empty'}`)
    return
  }
  if (!Array.isArray(first.value)) {
    at.error('patch.syntax', 'must be a list of operations, each with op and path')
    return
  }
  for (const [index, item] of first.value.entries()) {
    const { op, path, value }: Fields = isObject(item) ? item : {}
    const nth = `operation ${index + 1}`
    if (typeof op !== 'string' || !OPERATIONS.includes(op))
      at.error('patch.operation', `${nth}: op is ${quote(op ?? null)}, and must be one of ${OPERATIONS.join(', ')}`)
    else if (['add', 'replace', 'test'].includes(op) && value === undefined)
      at.error('patch.value', `${nth}: ${op} needs a value`)
    if (typeof path !== 'string' || !path.startsWith('/'))
      at.error('patch.path', `${nth}: path is ${quote(path ?? null)}, and must begin with "/"`)
  }
}

const patchesJson6902 = string({ check: (text, at) => text !== '' && checkJsonPatch(text, at) })

function checkPatches(fields: Fields, at: At, isLoop: boolean): void {
  const set = PATCHES.filter((name) => isSet(fields[name]) && fields[name] !== '')
  const [, second] = set
  if (second !== undefined)
    at.at(second).error('mutate.several', `${set.join(' and ')} do not go together; make a rule of each`)
  else if (set.length === 0) at.error('mutate.none', `one of ${PATCHES.join(', ')} must be set`)
  if (isSet(fields.patchStrategicMerge)) checkPattern(fields.patchStrategicMerge, 'patch', at.at('patchStrategicMerge'))
  if (!isLoop || !isSet(fields.foreach)) return
  for (const name of ['context', 'preconditions'])
    if (isSet(fields[name])) at.at(name).error('foreach.nested', `${name} belongs to the inner loop`)
}

const preconditions = open

const target = object(
  {
    apiVersion: string(),
    context,
    kind: string(),
    name: string(),
    namespace: string(),
    preconditions,
    selector,
    uid: string(),
  },
  {
    check: ({ preconditions: conditions }, at) => {
      if (isSet(conditions)) checkOpenConditions(conditions, at.at('preconditions'))
    },
  },
)

export const mutate = object(
  {
    foreach: list(
      object(
        {
          context,
          foreach: open,
          list: string(),
          order: string({ oneOf: ['Ascending', 'Descending'] }),
          patchStrategicMerge: open,
          patchesJson6902,
          preconditions: foreachConditions,
        },
        { check: (fields, at) => checkPatches(fields, at, true) },
      ),
    ),
    mutateExistingOnPolicyUpdate: boolean,
    patchStrategicMerge: open,
    patchesJson6902,
    targets: list(target),
  },
  {
    check: (fields, at) => {
      checkPatches(fields, at, false)
      if (fields.mutateExistingOnPolicyUpdate === true && !isSet(fields.targets))
        at.at('mutateExistingOnPolicyUpdate').error('mutate.targets', 'needs targets: what is to be changed')
    },
  },
)

const cloned: Readonly<Record<string, Schema>> = {
  apiVersion: string(),
  clone: object({ name: string(), namespace: string() }),
  cloneList: object({ kinds: list(string()), namespace: string(), selector }),
  data: open,
  kind: string(),
  name: string(),
  namespace: string(),
  uid: string(),
}

function checkMade(fields: Fields, at: At): void {
  const sources = ['data', 'clone', 'cloneList'].filter((name) => isSet(fields[name]))
  const [, second] = sources
  if (second !== undefined) at.at(second).error('generate.several', `${sources.join(' and ')} do not go together`)
  if (isSet(fields.data)) checkPattern(fields.data, 'none', at.at('data'))
  if (sources.length === 0) at.error('generate.none', 'one of data, clone, cloneList must be set: what is made')
  if (isSet(fields.cloneList)) return
  for (const name of ['apiVersion', 'kind', 'name'])
    if (!isSet(fields[name]) || fields[name] === '')
      at.error('field.missing', `${name} must be set: of the object that is made`)
}

export const generate = object(
  {
    ...cloned,
    foreach: list(
      object(
        { ...cloned, context, list: string(), preconditions: foreachConditions },
        {
          check: (fields, at) => {
            if (!isSet(fields.list) || fields.list === '')
              at.error('field.missing', 'list must be set: what is looped over')
            checkMade(fields, at)
          },
        },
      ),
    ),
    generateExisting: boolean,
    orphanDownstreamOnPolicyDelete: boolean,
    synchronize: boolean,
  },
  {
    check: (fields, at) => {
      if (!isSet(fields.foreach)) checkMade(fields, at)
      else if (['data', 'clone', 'cloneList'].some((name) => isSet(fields[name])))
        at.at('foreach').error('generate.several', 'foreach does not go together with data, clone and cloneList')
    },
  },
)
