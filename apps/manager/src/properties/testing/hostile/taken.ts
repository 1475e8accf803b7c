import { values } from './values.js'

/*
 * Which of the hostile values each field takes: those that are proper values of it, however odd they look. Written down by hand, so that a
 * schema that lets more in than it should is seen.
 */

const texts = Object.keys(values).filter((name) => /^(text|regex): /.test(name))
const except = (names: readonly string[], ...others: readonly string[]): string[] =>
  names.filter((name) => !others.includes(name))

const malformed = ['text: high surrogate alone', 'text: low surrogate alone', 'text: surrogates the wrong way round']

/** To be compared and found wrong: a login, a role that there is not. */
const upTo128 = except(texts, 'text: empty', 'regex: alternatives')
const upTo256 = [...upTo128, 'regex: alternatives', 'long: 254']
/** What one can read, and tell from others. */
const name = except(
  upTo128,
  ...malformed,
  ...['text: blank', 'text: blanks around', 'text: newline', 'text: tab', 'text: header'],
  ...['text: NUL', 'text: escape sequence', 'text: delete', 'text: next line', 'text: line separator'],
  ...['text: right-to-left override', 'text: byte order mark', 'text: private use', 'text: not a character'],
  'text: 23 hexadecimal digits and a newline',
)
/** Any text of at least 8 characters. A PHC string is a password like any other (M8). */
const newPassword = [
  ...['text: HTML', 'text: SQL', 'text: operator', 'text: path', 'text: header', 'text: template', 'text: __proto__'],
  ...[
    'text: constructor',
    'text: toString',
    'text: hasOwnProperty',
    'text: 24 hexadecimal digits',
    'text: 12 characters',
  ],
  ...['text: 23 hexadecimal digits and a newline', 'text: PHC string', 'regex: (a|a)*b', 'regex: (.*)*'],
  ...['regex: nested repeats', 'regex: too big repeat', 'regex: unclosed group', 'regex: unclosed class'],
  ...['regex: unknown class', 'regex: alternatives', 'long: 254'],
]
const description = [...except(texts, ...malformed, 'text: NUL'), 'long: 254', 'long: 257', 'null']
const namespace = ['text: constructor', 'text: null', 'text: number', 'text: true', 'text: 24 hexadecimal digits']
const orNone = [...namespace, 'text: empty', 'null']
const labelKey = [...namespace, 'text: dotted', 'text: toString', 'text: hasOwnProperty', 'text: NaN']
/** RE2, and of bounded size; what takes other engines for ever is harmless to it. */
const commandRegex = [
  ...except(
    texts,
    ...malformed,
    ...['text: escape sequence', 'regex: nested repeats', 'regex: big repeat', 'regex: too big repeat'],
    ...['regex: look-ahead', 'regex: back reference', 'regex: unclosed group', 'regex: unclosed class'],
    ...['regex: backslash', 'regex: unknown class'],
  ),
  'long: 254',
  'null',
]
const id = ['text: 24 hexadecimal digits']
const listOrNone = ['[]', 'null']

const count = ['0', '-0', '1', '1.0', '1e0', '127', '128']

const policiesAt = (field: string) => ({
  [field]: listOrNone,
  // Its permission does not look at it.
  [`${field}[0].self`]: ['false', 'null'],
  [`${field}[0].k8sNamespace`]: orNone,
  [`${field}[0].policyNamespace`]: orNone,
})
const plan = {
  strategyNamespace: orNone,
  labelSelectors: listOrNone,
  'labelSelectors[0].key': labelKey,
  'labelSelectors[0].value': [...labelKey, 'text: empty', 'null'],
  k8sNamespace: ['["admin"]', ...listOrNone],
  'k8sNamespace[0]': namespace,
  commandRegex,
  priority: ['0', '-0', '1', '1.0', '1e0', 'null'],
  executionTime: ['null'],
}

const byOperation: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  login: { username: upTo128, password: upTo256 },
  createSession: { username: upTo128, password: upTo256 },
  changeOwnPassword: { oldPassword: upTo256, newPassword },
  createUser: { username: name, password: newPassword },
  resetPassword: { userID: id, newPassword },
  setUserPermissions: {
    userID: id,
    roles: ['[""]', '["admin"]', ...listOrNone],
    'roles[0]': [...upTo128, 'text: empty'],
    status: ['1', '1.0', '1e0', 'null'],
  },
  createRole: { name, description, ...policiesAt('rolePolicies'), ...policiesAt('rolePolicy') },
  updateRole: { id, name: [...name, 'null'], description, ...policiesAt('rolePolicies'), ...policiesAt('rolePolicy') },
  deleteRoleByBody: { id },
  createStrategy: plan,
  updateStrategy: { strategyId: id, ...plan },
  deleteStrategyByBody: { strategyId: id },
  deleteIntents: { 'intentIds[0]': id },
  reportScheduler: {
    podName: [...namespace, 'text: dotted'],
    setVersion: [...count, '2^31 - 1', '2^31', '2^32'],
    intents: count,
    // What is null in it is left out.
    metrics: ['{}', 'null', '{"$ne":null}', '{"toString":…}'],
  },
}

/** Whether this field of this operation takes the value of this name. */
export const isTaken = (operation: string, field: string, value: string): boolean =>
  byOperation[operation]?.[field]?.includes(value) ?? false
