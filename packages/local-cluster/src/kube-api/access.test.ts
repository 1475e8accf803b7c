import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec, ServiceAccount } from '@bulkhead/resources'
import { accessPath, withAccess } from './access.js'

const account = (automountServiceAccountToken?: boolean): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'web', namespace: 'shop' },
  ...(automountServiceAccountToken !== undefined && { automountServiceAccountToken }),
})
const spec = (more: Partial<PodSpec> = {}): PodSpec => ({ containers: [{ name: 'app', image: 'x' }], ...more })
const mounts = ({ containers, initContainers = [] }: PodSpec) =>
  [...initContainers, ...containers].map(({ volumeMounts = [] }) =>
    volumeMounts.map(({ name, mountPath }) => `${name} ${mountPath}`),
  )

test('a pod has its token mounted unless the pod, or else its account, wants none', () => {
  const table: readonly [pod: boolean | undefined, account: ServiceAccount | undefined, mounted: boolean][] = [
    [undefined, undefined, true],
    [undefined, account(), true],
    [undefined, account(false), false],
    [true, account(false), true],
    [false, account(true), false],
    [false, undefined, false],
  ]
  for (const [pod, of, mounted] of table) {
    const admitted = withAccess(spec(pod === undefined ? {} : { automountServiceAccountToken: pod }), of)
    assert.deepEqual(
      mounts(admitted),
      [mounted ? [`kube-api-access ${accessPath}`] : []],
      `${pod} ${of?.automountServiceAccountToken}`,
    )
    assert.equal(admitted.volumes?.length ?? 0, mounted ? 1 : 0)
  }
})

test('init containers have it too, who has mounted something there keeps it, and a name that is taken stays whose it is', () => {
  const own = { name: 'own', mountPath: accessPath }
  const admitted = withAccess(
    spec({
      initContainers: [{ name: 'init', image: 'x' }],
      containers: [{ name: 'app', image: 'x', volumeMounts: [own] }],
      volumes: [
        { name: 'kube-api-access', emptyDir: {} },
        { name: 'own', emptyDir: {} },
      ],
    }),
    undefined,
  )
  assert.deepEqual(mounts(admitted), [[`kube-api-access-2 ${accessPath}`], [`own ${accessPath}`]])
  const whole = spec({
    containers: [{ name: 'app', image: 'x', volumeMounts: [own] }],
    volumes: [{ name: 'own', emptyDir: {} }],
  })
  assert.equal(withAccess(whole, undefined), whole)
})
