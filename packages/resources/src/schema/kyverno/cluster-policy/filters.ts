import { quote } from '../../../diagnostics.js'
import { type Fields, isObject, isSet } from '../../../plain.js'
import { didYouMean } from '../../../suggest.js'
import { selector } from '../../gateway-api/selector.js'
import type { At, ObjectSchema } from '../../schema.js'
import { list, map, object, string } from '../../schema.js'

/* `match` and `exclude` of rules and exceptions. Source: Kyverno's CustomResourceDefinitions and its webhook for policies. */

const strings = list(string())

const description = object(
  {
    annotations: map(string()),
    kinds: list(string({ check: checkKind })),
    name: string(),
    names: strings,
    namespaceSelector: selector,
    namespaces: strings,
    operations: list(string({ oneOf: ['CREATE', 'CONNECT', 'UPDATE', 'DELETE'] })),
    selector,
  },
  {
    check: (fields, at) => {
      if (isSet(fields.name) && isSet(fields.names))
        at.at('name').error('match.name', 'name and names do not go together; put all of them into names')
      const { selector: labels } = fields
      if (isSet(labels) && Object.keys(labels as Fields).length === 0)
        at.at('selector').error(
          'match.selector',
          'the selector selects by nothing, and Kyverno refuses it; take it away',
        )
    },
  },
)

/** `Pod`, `v1/Pod`, `apps/v1/Deployment`, `Pod/ephemeralcontainers`, with `*` anywhere. */
function checkKind(text: string, at: At): void {
  const kind = text.split('/').findLast((part) => /^[A-Z*]/.test(part))
  if (kind === undefined)
    at.warn(
      'match.kind',
      `${quote(text)} names no kind: kinds are written as in an object's kind field, such as Pod or apps/v1/Deployment`,
    )
}

const SUBJECTS = ['User', 'Group', 'ServiceAccount']

const subject = object(
  { apiGroup: string(), kind: string(), name: string(), namespace: string() },
  {
    required: ['kind', 'name'],
    check: ({ kind, name, namespace }, at) => {
      if (typeof kind === 'string' && !SUBJECTS.includes(kind))
        at.at('kind').error(
          'match.subject',
          `a subject is a ${SUBJECTS.join(', a ')}, and not a ${quote(kind)}${didYouMean(kind, SUBJECTS)}`,
        )
      if (name === '') at.at('name').error('value.empty', 'the name of a subject is empty, and must be set')
      if (kind === 'ServiceAccount' && (namespace ?? '') === '')
        at.error('field.missing', 'a ServiceAccount is of a namespace; set namespace beside its name')
    },
  },
)

const filterFields = {
  clusterRoles: strings,
  resources: description,
  roles: list(
    string({
      check: (role, at) => {
        if (role.split(':').length !== 2)
          at.error('match.role', `${quote(role)} is no role of a namespace; write namespace:name`)
      },
    }),
  ),
  subjects: list(subject),
}

const filter = object(filterFields)

const either = { all: list(filter), any: list(filter) }
const DIRECT = Object.keys(filterFields)

function checkEither(fields: Fields, at: At): void {
  if (isSet(fields.any) && isSet(fields.all))
    at.at('all').error('match.both', 'any and all do not go together; make two rules of it')
  const direct = DIRECT.find((name) => isSet(fields[name]))
  if (direct !== undefined && (isSet(fields.any) || isSet(fields.all)))
    at.at(direct).error('match.direct', `${direct} beside any or all is refused; put it into a filter of theirs`)
}

/** Every filter of a match, with the way to it. */
export function filtersOf(match: Fields): { filter: Fields; path: (string | number)[] }[] {
  const listed = ['any', 'all'].flatMap((name) => {
    const items = match[name]
    return Array.isArray(items)
      ? items.flatMap((item: unknown, index) => (isObject(item) ? [{ filter: item, path: [name, index] }] : []))
      : []
  })
  return listed.length > 0 ? listed : [{ filter: match, path: [] }]
}

/** Kinds are what every rule must name. */
function checkKinds(match: Fields, at: At): void {
  checkEither(match, at)
  for (const { filter: one, path } of filtersOf(match)) {
    const kinds = isObject(one.resources) ? one.resources.kinds : undefined
    if (!Array.isArray(kinds) || kinds.length === 0)
      at.at(...path).error('match.kinds', 'resources.kinds with at least one kind must be set: what the rule is about')
  }
}

/** With what it takes beside any and all: the older form, which kyverno.io/v2beta1 and v2 do not have. */
const fieldsOf = (isOld: boolean) => (isOld ? { ...either, ...filterFields } : either)

export const matchOf = (isOld: boolean): ObjectSchema => object(fieldsOf(isOld), { check: checkKinds })
export const excludeOf = (isOld: boolean): ObjectSchema => object(fieldsOf(isOld), { check: checkEither })
