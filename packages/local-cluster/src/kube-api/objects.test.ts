import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SeenContainer } from '../seen-pod.js'
import { type FakePod, running, seenPod } from '../testing/kube-source.js'
import { nodeObject, podObject } from './objects.js'

const now = new Date('2026-01-02T04:00:00Z')
const statusOf = (fake: FakePod) =>
  podObject(seenPod('shop/web-1', { uid: 'u', ...fake }), '172.18.0.3', undefined, now).status as {
    readonly phase: string
    readonly conditions: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses: readonly Readonly<Record<string, unknown>>[]
    readonly initContainerStatuses?: readonly Readonly<Record<string, unknown>>[]
  }
const ended = (lastExit: string, name = 'app'): SeenContainer => ({
  name,
  image: 'x',
  phase: 'ended',
  restarts: 0,
  lastExit,
  ended: new Date('2026-01-02T03:05:00Z'),
})

test('a pod is what runs here', () => {
  const pod = podObject(seenPod('shop/web-1', { uid: 'u' }), '172.18.0.3', undefined, now)
  assert.deepEqual(pod.metadata, {
    name: 'web-1',
    namespace: 'shop',
    uid: 'u',
    creationTimestamp: '2026-01-02T03:04:05Z',
    labels: { app: 'web' },
  })
  const { containers, nodeName, serviceAccountName, restartPolicy } = pod.spec as Record<string, unknown>
  assert.deepEqual(containers, [{ name: 'app', image: 'app:1', command: ['node', '/app/main.js'] }])
  assert.deepEqual([nodeName, serviceAccountName, restartPolicy], ['bulkhead-worker', 'web', 'Always'])
  assert.deepEqual(pod.status, {
    phase: 'Running',
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: '2026-01-02T04:00:00Z',
    })),
    hostIP: '172.18.0.3',
    hostIPs: [{ ip: '172.18.0.3' }],
    podIP: '10.244.1.2',
    podIPs: [{ ip: '10.244.1.2' }],
    startTime: '2026-01-02T03:04:05Z',
    containerStatuses: [
      {
        name: 'app',
        image: 'app:1',
        imageID: 'app:1',
        ready: true,
        started: true,
        restartCount: 0,
        containerID: 'containerd://0123456789abcdef',
        state: { running: { startedAt: '2026-01-02T03:04:05Z' } },
        lastState: {},
      },
    ],
  })
})

test('phase and conditions follow its containers', () => {
  const table: readonly [what: string, fake: FakePod, phase: string, ready: string, initialized: string][] = [
    ['runs', {}, 'Running', 'True', 'True'],
    ['does not answer yet', { ready: false }, 'Running', 'False', 'True'],
    ['is not started', { containers: [], ready: false }, 'Pending', 'False', 'True'],
    ['is in its init', { init: ['init'], containers: [running('init')], ready: false }, 'Pending', 'False', 'False'],
    [
      'init failed',
      { init: ['init'], containers: [ended('exit code 1', 'init')], ready: false },
      'Pending',
      'False',
      'False',
    ],
    [
      'init is done',
      { init: ['init'], containers: [ended('exit code 0', 'init'), running()] },
      'Running',
      'True',
      'True',
    ],
    [
      'crashes',
      { containers: [{ ...ended('exit code 1'), phase: 'back-off', restarts: 3 }], ready: false },
      'Running',
      'False',
      'True',
    ],
    ['has ended well', { containers: [ended('exit code 0')], ready: false }, 'Succeeded', 'False', 'True'],
    ['has failed', { containers: [ended('killed by SIGKILL')], ready: false }, 'Failed', 'False', 'True'],
  ]
  for (const [what, fake, phase, ready, initialized] of table) {
    const status = statusOf(fake)
    const is = (type: string) => status.conditions.find((one) => one.type === type)?.status
    assert.deepEqual([status.phase, is('Ready'), is('Initialized')], [phase, ready, initialized], what)
  }
})

test('how a container ended is said in the words of Kubernetes', () => {
  const crashed = statusOf({ containers: [{ ...ended('exit code 3: no database'), phase: 'back-off', restarts: 2 }] })
  const [app] = crashed.containerStatuses
  assert.deepEqual(app?.state, { waiting: { reason: 'CrashLoopBackOff' } })
  assert.deepEqual(app?.lastState, { terminated: { exitCode: 3, reason: 'Error', finishedAt: '2026-01-02T03:05:00Z' } })
  assert.equal(app?.restartCount, 2)
  const killed = statusOf({ containers: [ended('killed by SIGKILL')] }).containerStatuses[0]
  assert.deepEqual(killed?.state, {
    terminated: { exitCode: 137, signal: 9, reason: 'Error', finishedAt: '2026-01-02T03:05:00Z' },
  })
  const init = statusOf({ init: ['init'], containers: [ended('exit code 0', 'init')], ready: false })
  assert.deepEqual(init.initContainerStatuses?.[0]?.state, {
    terminated: { exitCode: 0, reason: 'Completed', finishedAt: '2026-01-02T03:05:00Z' },
  })
})

test('a pod that is to end says until when, and a condition since when', () => {
  const seen = { uid: 'u', ready: true }
  const before = podObject(seenPod('shop/web-1', seen), '', undefined, now)
  const later = new Date('2026-01-02T05:00:00Z')
  const after = podObject(seenPod('shop/web-1', { ...seen, ready: false, leaving: later }), '', before, later)
  assert.equal(after.metadata.deletionTimestamp, '2026-01-02T05:00:30Z')
  assert.equal(after.metadata.deletionGracePeriodSeconds, 30)
  const times = (after.status as { conditions: { type: string; lastTransitionTime: string }[] }).conditions
  assert.deepEqual(
    times.map(({ type, lastTransitionTime }) => [type, lastTransitionTime.slice(11, 13)]),
    [
      ['PodScheduled', '04'],
      ['Initialized', '04'],
      ['ContainersReady', '05'],
      ['Ready', '05'],
    ],
  )
})

test('a node is ready while the target is up', () => {
  const options = { uid: 'u', started: now, version: 'v1' }
  const node = nodeObject({ name: 'n', ip: '172.18.0.3' }, { ...options, controlPlane: false })
  const { conditions, addresses } = node.status as {
    conditions: { type: string; status: string }[]
    addresses: object[]
  }
  assert.deepEqual(
    conditions.map(({ type, status }) => `${type} ${status}`),
    ['MemoryPressure False', 'DiskPressure False', 'PIDPressure False', 'Ready True'],
  )
  assert.deepEqual(addresses[0], { type: 'InternalIP', address: '172.18.0.3' })
  const control = nodeObject({ name: 'c', ip: '' }, { ...options, controlPlane: true })
  assert.equal(control.metadata.labels?.['node-role.kubernetes.io/control-plane'], '')
  assert.deepEqual(control.spec, { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] })
})
