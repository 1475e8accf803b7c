import assert from 'node:assert/strict'
import type { Sighting } from '@bulkhead/scenarios'

/** What there is of a pod as istiod's Deployment of a Gateway makes it, named `<account>-<hash>-<five letters>`. */
export function gatewayPod(namespace: string, podName: string, gateway: string) {
  const account = podName.split('-').slice(0, -2).join('-')
  const hash = podName.split('-').at(-2)
  return {
    metadata: {
      namespace,
      name: podName,
      labels: { 'gateway.networking.k8s.io/gateway-name': gateway, 'pod-template-hash': hash },
      ownerReferences: [{ kind: 'ReplicaSet', name: `${account}-${hash}`, controller: true }],
    },
    spec: { nodeName: 'bulkhead-worker2', serviceAccountName: account, containers: [{ name: 'istio-proxy' }] },
    status: { phase: 'Running', podIPs: [{ ip: '10.244.2.50' }] },
  }
}

/** What a line says, without the line itself. */
export function said(sighting: Sighting | undefined): Omit<Sighting, 'line'> | undefined {
  if (sighting === undefined) return undefined
  const { line: _, ...rest } = sighting
  return rest
}

/** Holds a parser against what logs hold besides whole lines of its own: it never throws, and makes nothing of half a line. */
export function neverMisled(read: (line: string) => Sighting | undefined, good: readonly string[]): void {
  for (const line of good) {
    const whole = read(line)
    assert.ok(whole, line)
    for (let length = 0; length < line.length; length += 1) {
      const half = read(line.slice(0, length))
      // Only what says nothing of why may be missing at its end.
      if (half !== undefined) assert.equal(half.outcome, whole.outcome, `cut at ${length}: ${line.slice(0, length)}`)
      const torn = `${line.slice(0, length)}\u0000\u001b[31m\ufffd${line.slice(length)}`
      assert.doesNotThrow(() => read(torn))
    }
  }
  const others = [
    '',
    ' ',
    '{',
    '{}',
    '[]',
    'null',
    '"x"',
    '[',
    '{"flow":null}',
    '{"flow":{"time":5}}',
    '\u0000'.repeat(50),
  ]
  for (const line of [
    ...others,
    `${good[0]}${'x'.repeat(100_000)}`,
    `{"a":${'['.repeat(10_000)}`,
    '='.repeat(60_000),
  ]) {
    assert.equal(read(line), undefined)
  }
}
