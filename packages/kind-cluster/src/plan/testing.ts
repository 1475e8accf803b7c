import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { type Place, placeOf } from '../place.js'
import type { Answers, Matcher } from '../testing/index.js'
import type { Command } from '../tools.js'

/** The clone: its own manifests are what plans are made of. */
export const root = resolve(import.meta.dirname, '../../../..')

/** A place whose state is in a folder of its own, and gone after the test. */
export function temporaryPlace(t: TestContext): Place {
  const state = temporaryFolder(t)
  return placeOf(root, state)
}

export const uid = '6f9f1f0e-0000-4000-8000-000000000001'

/** When its control plane's container was made, as Docker tells it. */
export const created = '2026-11-22T03:01:00.123456789Z'

/** Answers of a cluster that is ours: it is not there until it is made, and then it is the one that was made. */
export function ownCluster(place: Place, { there = false } = {}): readonly (readonly [Matcher, Answers])[] {
  let made = there
  return [
    ['kind get clusters', () => ({ stdout: made ? 'bulkhead\n' : '' })],
    [
      'kind create cluster',
      () => {
        made = true
        writeFileSync(place.kubeconfig, '')
        return {}
      },
    ],
    [
      'kind delete cluster',
      () => {
        made = false
        return {}
      },
    ],
    ['docker network inspect', { code: 1, stderr: 'Error response from daemon: network kind not found' }],
    ["docker container inspect --format '{{.Created}}'", { stdout: `${created}\n` }],
    [/^docker container inspect .*\.Ports "6443\/tcp"/, { stdout: '127.0.0.1 40123\n\n' }],
    ['docker container inspect', { stdout: 'c0ffee\n' }],
    ['kubectl config view', { stdout: 'https://127.0.0.1:40123' }],
    ['kubectl get namespace kube-system', () => (made ? { stdout: uid } : { code: 1, stderr: 'connection refused' })],
  ]
}

export const command = (tool: Command['tool'], ...args: readonly string[]): Command => ({
  tool,
  args,
  timeoutMs: 1_000,
})
