import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'
import { checkReferences } from './references.js'

const object = (kind: string, name: string, rest = '', namespace = '') =>
  `---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata: { name: ${name}${namespace && `, namespace: ${namespace}`} }\n${rest}\n`
const account = '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: { name: web, namespace: shop }\n'
const binding = (ref: string, subject = 'web', kind = 'ClusterRoleBinding') =>
  object(
    kind,
    'b',
    `subjects: [{ kind: ServiceAccount, name: ${subject}, namespace: shop }]\nroleRef: { apiGroup: rbac.authorization.k8s.io, ${ref} }`,
    kind === 'RoleBinding' ? 'shop' : '',
  )
const lint = (...texts: string[]) =>
  checkReferences(parseManifests(texts.join(''), 'm.yaml').resources).map(
    ({ severity, code, message, at }) => `${severity} ${code} ${at.line}:${at.column} ${message}`,
  )

test('a binding to a role that is not there', () => {
  const to = 'kind: ClusterRole, name: reader'
  assert.deepEqual(lint(binding(to), account), [
    'warning reference.role 6:68 ClusterRoleBinding/b: there is no ClusterRole "reader", so the binding grants nothing',
  ])
  assert.deepEqual(lint(binding(to), account, object('ClusterRole', 'reader')), [])
  for (const name of ['cluster-admin', 'view', 'system:node'])
    assert.deepEqual(lint(binding(`kind: ClusterRole, name: "${name}"`), account), [])
  // A Role is of its namespace; one of another counts no more than a ClusterRole of its name.
  const local = binding('kind: Role, name: reader', 'web', 'RoleBinding')
  assert.deepEqual(lint(local, account, object('Role', 'reader', '', 'shop')), [])
  assert.match(
    lint(local, account, object('Role', 'reader', '', 'other'))[0] ?? '',
    /^warning reference.role 6:61 .* no Role "reader" in shop/,
  )
  assert.match(
    lint(local, account, object('ClusterRole', 'reader'))[0] ?? '',
    /^warning reference.role 6:49 .* grants nothing; there is a ClusterRole of that name$/,
  )
})

test('a binding of nobody', () => {
  const role = object('ClusterRole', 'reader')
  assert.deepEqual(lint(binding('kind: ClusterRole, name: reader', 'wep'), account, role), [
    'warning reference.service-account 5:36 ClusterRoleBinding/b: it binds nobody here: there is no ServiceAccount "wep" in shop',
  ])
  assert.deepEqual(lint(binding('kind: ClusterRole, name: reader', 'default'), role), [])
})
