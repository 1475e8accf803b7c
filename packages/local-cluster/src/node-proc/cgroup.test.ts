import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '@bulkhead/resources'
import { cgroupLine } from './cgroup.js'

const uid = '6d0a5a24-1f5e-4f0b-9f44-0d3f4c1f2a77'
const line = (...resources: readonly (object | undefined)[]) => {
  const containers = resources.map((one) => ({ name: 'a', image: 'a', ...(one && { resources: one }) }))
  return cgroupLine(uid, 'abc', { containers } as PodSpec)
}

test('a container’s cgroup is that of a kubelet with the systemd driver, by the pod’s class of service', () => {
  const pod = '6d0a5a24_1f5e_4f0b_9f44_0d3f4c1f2a77'
  const of = (qos: string) =>
    `0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-${qos}.slice/kubelet-kubepods-${qos}-pod${pod}.slice/cri-containerd-abc.scope\n`
  const exact = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }
  assert.equal(line(undefined), of('besteffort'))
  assert.equal(line({ requests: { cpu: '1' } }), of('burstable'))
  assert.equal(line({ limits: { memory: '1Gi' } }), of('burstable'))
  assert.equal(line({ ...exact, requests: { cpu: '100m', memory: '1Gi' } }), of('burstable'))
  assert.equal(line(exact, undefined), of('burstable'))
  const guaranteed = `0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${pod}.slice/cri-containerd-abc.scope\n`
  assert.equal(line(exact), guaranteed)
  // What asks for nothing asks for its limits.
  assert.equal(line({ limits: exact.limits }), guaranteed)
})
