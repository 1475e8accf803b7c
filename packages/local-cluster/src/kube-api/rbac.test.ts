import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkReferences, type KubernetesObject, parseManifests } from '@bulkhead/resources'
import fc from 'fast-check'
import { resource } from '../testing.js'
import { allows, readRbac, ruleAllows } from './rbac.js'
import { readRequest } from './request.js'
import { anonymous } from './tokens.js'
import type { User } from './types.js'

const account = (namespace: string, name: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
})
const reader = account('shop', 'reader')

/** `GET /api/v1/pods?watch=true` */
const ask = (text: string) => {
  const [method = '', url = ''] = text.split(' ')
  const [path = '', query = ''] = url.split('?')
  return readRequest(method, path, new URLSearchParams(query))
}

const object = (kind: string, name: string, rest: object, namespace?: string) =>
  resource({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    ...rest,
  } as KubernetesObject & Record<string, unknown>)
const binding = (kind: string, ref: string, subjects: readonly object[], namespace?: string) => {
  const [roleKind, name] = ref.split('/')
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name }
  return object(kind, 'b', { roleRef, subjects }, namespace)
}
const rule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }
const toReader = [{ kind: 'ServiceAccount', name: 'reader', namespace: 'shop' }]

test('what one rule allows', () => {
  const core = { verbs: ['get', 'list'], apiGroups: [''] }
  const table: readonly [rule: Parameters<typeof ruleAllows>[0], request: string, allowed: boolean][] = [
    [{ ...core, resources: ['pods'] }, 'GET /api/v1/pods', true],
    [{ ...core, resources: ['pods'] }, 'GET /api/v1/namespaces/shop/pods/x', true],
    [{ ...core, resources: ['pods'] }, 'GET /api/v1/pods?watch=true', false],
    [{ ...core, resources: ['pods'] }, 'POST /api/v1/namespaces/shop/pods', false],
    [{ ...core, resources: ['pods'] }, 'GET /api/v1/nodes', false],
    [{ ...core, resources: ['pods'] }, 'GET /api/v1/namespaces/shop/pods/x/log', false],
    [{ ...core, resources: ['pods/log'] }, 'GET /api/v1/namespaces/shop/pods/x/log', true],
    [{ ...core, resources: ['pods/log'] }, 'GET /api/v1/namespaces/shop/pods/x', false],
    [{ ...core, resources: ['*/log'] }, 'GET /api/v1/namespaces/shop/pods/x/log', true],
    [{ ...core, resources: ['*'] }, 'GET /api/v1/namespaces/shop/pods/x/log', true],
    [{ ...core, resources: ['*'] }, 'GET /apis/apps/v1/deployments', false],
    [{ ...core, apiGroups: ['*'], resources: ['*'] }, 'GET /apis/apps/v1/deployments', true],
    [{ ...core, apiGroups: ['apps'], resources: ['pods'] }, 'GET /api/v1/pods', false],
    [{ ...core, verbs: ['*'], resources: ['pods'] }, 'DELETE /api/v1/namespaces/shop/pods', true],
    [{ ...core, resources: ['pods'], resourceNames: ['x'] }, 'GET /api/v1/namespaces/shop/pods/x', true],
    [{ ...core, resources: ['pods'], resourceNames: ['x'] }, 'GET /api/v1/namespaces/shop/pods/y', false],
    [{ ...core, resources: ['pods'], resourceNames: ['x'] }, 'GET /api/v1/namespaces/shop/pods', false],
    [{ ...core, resources: ['pods'], resourceNames: ['x'] }, 'GET /api/v1/pods?fieldSelector=metadata.name=x', true],
    [{ ...core, resources: ['pods'], resourceNames: ['x'] }, 'GET /api/v1/pods?fieldSelector=metadata.name!=x', false],
    [{ ...core, resources: ['pods'], resourceNames: [] }, 'GET /api/v1/pods', true],
    [{ ...core, resources: ['pods'] }, 'GET /metrics', false],
    [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }, 'GET /metrics', true],
    [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }, 'GET /metrics/x', false],
    [{ verbs: ['get'], nonResourceURLs: ['/metrics/*'] }, 'GET /metrics/x', true],
    [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }, 'POST /metrics', false],
    [{ verbs: ['*'], nonResourceURLs: ['*'] }, 'POST /anything', true],
    [{ verbs: ['get'], nonResourceURLs: ['*'] }, 'GET /api/v1/pods', false],
  ]
  for (const [one, request, allowed] of table)
    assert.equal(ruleAllows(one, ask(request)), allowed, `${JSON.stringify(one)} ${request}`)
})

test('whom a binding is of, and where it counts', () => {
  const inShop = 'GET /api/v1/namespaces/shop/pods'
  const inDemo = 'GET /api/v1/namespaces/demo/pods'
  const everywhere = 'GET /api/v1/pods'
  const clusterRole = object('ClusterRole', 'r', { rules: [rule] })
  const role = object('Role', 'r', { rules: [rule] }, 'shop')
  const table: readonly [
    what: string,
    objects: readonly ReturnType<typeof object>[],
    user: User,
    yes: readonly string[],
  ][] = [
    ['nothing', [], reader, []],
    ['a role alone', [clusterRole], reader, []],
    [
      'for the cluster',
      [clusterRole, binding('ClusterRoleBinding', 'ClusterRole/r', toReader)],
      reader,
      [inShop, inDemo, everywhere],
    ],
    [
      'another account',
      [clusterRole, binding('ClusterRoleBinding', 'ClusterRole/r', toReader)],
      account('shop', 'other'),
      [],
    ],
    [
      'its name in another namespace',
      [clusterRole, binding('ClusterRoleBinding', 'ClusterRole/r', toReader)],
      account('demo', 'reader'),
      [],
    ],
    ['nobody', [clusterRole, binding('ClusterRoleBinding', 'ClusterRole/r', toReader)], anonymous, []],
    ['in a namespace', [role, binding('RoleBinding', 'Role/r', toReader, 'shop')], reader, [inShop]],
    [
      'a ClusterRole in a namespace',
      [clusterRole, binding('RoleBinding', 'ClusterRole/r', toReader, 'shop')],
      reader,
      [inShop],
    ],
    ['a role of another namespace', [role, binding('RoleBinding', 'Role/r', toReader, 'demo')], reader, []],
    ['a Role for the cluster', [role, binding('ClusterRoleBinding', 'Role/r', toReader)], reader, []],
    ['a role that is not there', [binding('ClusterRoleBinding', 'ClusterRole/r', toReader)], reader, []],
    [
      "an account of the binding's namespace",
      [role, binding('RoleBinding', 'Role/r', [{ kind: 'ServiceAccount', name: 'reader' }], 'shop')],
      reader,
      [inShop],
    ],
    [
      'as a user',
      [clusterRole, binding('ClusterRoleBinding', 'ClusterRole/r', [{ kind: 'User', name: reader.name }])],
      reader,
      [inShop, inDemo, everywhere],
    ],
    [
      'all accounts of a namespace',
      [
        clusterRole,
        binding('ClusterRoleBinding', 'ClusterRole/r', [{ kind: 'Group', name: 'system:serviceaccounts:shop' }]),
      ],
      reader,
      [inShop, inDemo, everywhere],
    ],
    [
      'all accounts of another',
      [
        clusterRole,
        binding('ClusterRoleBinding', 'ClusterRole/r', [{ kind: 'Group', name: 'system:serviceaccounts:demo' }]),
      ],
      reader,
      [],
    ],
    [
      'everybody',
      [
        clusterRole,
        binding('ClusterRoleBinding', 'ClusterRole/r', [{ kind: 'Group', name: 'system:unauthenticated' }]),
      ],
      anonymous,
      [inShop, inDemo, everywhere],
    ],
    [
      'an aggregated role',
      [
        object('ClusterRole', 'r', { rules: [rule], aggregationRule: {} }),
        binding('ClusterRoleBinding', 'ClusterRole/r', toReader),
      ],
      reader,
      [],
    ],
    ['view, in a namespace', [binding('RoleBinding', 'ClusterRole/view', toReader, 'shop')], reader, [inShop]],
    [
      'a role of our own that is named view',
      [object('ClusterRole', 'view', { rules: [] }), binding('RoleBinding', 'ClusterRole/view', toReader, 'shop')],
      reader,
      [],
    ],
  ]
  for (const [what, objects, user, yes] of table) {
    const rbac = readRbac(objects)
    const allowed = [inShop, inDemo, everywhere].filter((request) => allows(rbac, user, ask(request)))
    assert.deepEqual(allowed, yes, what)
  }
})

test('what every cluster grants: health to all, discovery to who is somebody, secrets to nobody', () => {
  const rbac = readRbac([])
  const table: readonly [request: string, nobody: boolean, somebody: boolean][] = [
    ['GET /version', true, true],
    ['GET /readyz', true, true],
    ['GET /api', false, true],
    ['GET /apis/apps', false, true],
    ['GET /', false, false],
    ['POST /version', false, false],
    ['GET /api/v1/namespaces/shop/secrets', false, false],
  ]
  for (const [request, nobody, somebody] of table) {
    assert.equal(allows(rbac, anonymous, ask(request)), nobody, request)
    assert.equal(allows(rbac, reader, ask(request)), somebody, request)
  }
  const viewer = readRbac([binding('ClusterRoleBinding', 'ClusterRole/view', toReader)])
  assert.equal(allows(viewer, reader, ask('GET /api/v1/namespaces/shop/secrets')), false)
  const admin = readRbac([binding('ClusterRoleBinding', 'ClusterRole/cluster-admin', toReader)])
  assert.equal(allows(admin, reader, ask('GET /api/v1/namespaces/shop/secrets')), true)
  assert.equal(allows(admin, reader, ask('POST /anything')), true)
})

test('whatever stands in roles and bindings is read or refused, and what is read decides without a failure', () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      '*',
      '',
      'pods',
      'get',
      'r',
      'shop',
      'ClusterRole',
      'Role',
      'ServiceAccount',
      'User',
      'Group',
    ),
    fc.constantFrom<unknown>(
      null,
      0,
      true,
      [],
      {},
      ['*'],
      ['get', 'list'],
      ['pods'],
      [''],
      '__proto__',
      'rbac.authorization.k8s.io',
    ),
  )
  const fields = fc.constantFrom(
    ...['verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs', 'kind', 'name', 'namespace', 'apiGroup'],
  )
  const part = fc.dictionary(fields, value, { maxKeys: 6 })
  const good = fc.constantFrom<unknown>(rule, toReader[0], { verbs: ['get'], nonResourceURLs: ['/x*'] })
  const many = fc.oneof(fc.array(fc.oneof(part, good), { maxLength: 3 }), value)
  const kind = fc.constantFrom('Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding')
  const ref = fc.oneof(
    fc.constant({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' }),
    part,
    value,
  )
  let read = 0
  fc.assert(
    fc.property(fc.array(fc.tuple(kind, many, many, ref), { minLength: 1, maxLength: 4 }), (objects) => {
      const texts = objects.map(([of, rules, subjects, roleRef]) =>
        JSON.stringify({
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: of,
          metadata: { name: 'r', ...(of.startsWith('Cluster') ? {} : { namespace: 'shop' }) },
          ...(of.endsWith('Role') ? { rules } : { subjects, roleRef }),
        }),
      )
      const { resources, diagnostics } = parseManifests(texts.join('\n---\n'), 'm.yaml')
      checkReferences(resources)
      for (const { at } of diagnostics) assert.ok(at.line >= 1)
      read += resources.length
      const rbac = readRbac(resources)
      for (const request of ['GET /api/v1/namespaces/shop/pods', 'GET /x', 'POST /apis/apps/v1/deployments'])
        assert.equal(typeof allows(rbac, reader, ask(request)), 'boolean')
    }),
    { numRuns: 300 },
  )
  assert.ok(read > 50, `only ${read} were read`)
})
