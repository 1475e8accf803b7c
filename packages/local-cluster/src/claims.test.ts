import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '@bulkhead/resources'
import { claimsOf } from './claims.js'
import { GeneratedSecrets } from './secrets.js'
import { pod, resource } from './testing.js'

const claim = resource({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'there', namespace: 'shop' },
  spec: {},
})

function claims(spec: object, volumes: readonly ({ name: string } & Record<string, unknown>)[]) {
  const template = { spec: { containers: [], volumes } }
  const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'web-api', namespace: 'shop' }, spec }
  const problems: string[] = []
  const context = {
    pod,
    annotations: {},
    hostIp: '',
    secrets: new GeneratedSecrets('unused'),
    find: (id: string) => (id === claim.id ? claim : undefined),
  }
  const owner = {
    resource: resource(object as KubernetesObject & Record<string, unknown>),
    template,
    path: ['spec', 'template'],
  }
  const found = claimsOf(owner, context, (where, text) => problems.push(`${where.join('.')}: ${text}`))
  return { found: Object.fromEntries(found), problems }
}

test('the claims that a pod names, and those that its StatefulSet makes for each pod', () => {
  const volumes = [
    { name: 'data', persistentVolumeClaim: { claimName: 'there' } },
    { name: 'tmp', emptyDir: {} },
  ]
  assert.deepEqual(claims({ volumeClaimTemplates: [{ metadata: { name: 'own' } }] }, volumes), {
    found: { data: 'there', own: 'own-web-api-1' },
    problems: [],
  })
})

test('a claim that is not there, for which the pod would wait for ever, and a name that is none, are told with their place', () => {
  const { found, problems } = claims({ volumeClaimTemplates: [{}] }, [
    { name: 'a', persistentVolumeClaim: { claimName: 'gone' } },
    { name: 'b', persistentVolumeClaim: { claimName: '../there' } },
  ])
  assert.deepEqual(found, {})
  assert.deepEqual(problems, [
    'spec.template.spec.volumes.0.persistentVolumeClaim.claimName: there is no PersistentVolumeClaim "gone" in namespace shop',
    'spec.template.spec.volumes.1.persistentVolumeClaim.claimName: "../there" is not the name of a claim',
    'spec.volumeClaimTemplates.0: "" is not the name of a claim',
  ])
})
