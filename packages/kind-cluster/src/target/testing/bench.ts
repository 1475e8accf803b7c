import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import type { Observation } from '@bulkhead/scenarios'
import { temporaryFolder } from '@bulkhead/testing'
import { type Place, placeOf } from '../../place.js'
import { type Answers, type Matcher, type RecordingTools, recordingTools } from '../../testing/index.js'
import { KindTarget, type KindTargetOptions } from '../kind-target.js'
import type { LiveObject } from '../live/index.js'
import { served } from './served.js'

export const repository = resolve(import.meta.dirname, '../../../../..')

export const { resources: files } = await loadManifests(
  [join(repository, 'k8s/workloads'), join(repository, 'k8s/layers')],
  { relativeTo: repository },
)

/** A cluster to which all of k8s/ was applied, as the API server would list it. */
export const everything = served(files)

export const listOf = (items: readonly unknown[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

/** What the probe stands for in these tests: it is sent, and never run. */
export const program = '/* the probe */'

export interface Bench {
  readonly place: Place
  readonly tools: RecordingTools
  readonly target: KindTarget
  readonly notes: string[]
}

export type Table = readonly (readonly [Matcher, Answers])[]

export interface BenchOptions extends KindTargetOptions {
  readonly objects?: readonly LiveObject[]
  readonly secrets?: readonly string[]
}

/** Where a cluster of ours is up, as far as this machine can tell. */
export function placeFor(t: TestContext): Place {
  const folder = temporaryFolder(t)
  symlinkSync(join(repository, 'k8s'), join(folder, 'k8s'))
  mkdirSync(join(folder, 'apps/probe/dist'), { recursive: true })
  writeFileSync(join(folder, 'apps/probe/dist/probe.mjs'), program)
  const place = placeOf(folder, join(folder, 'state'))
  mkdirSync(place.folder, { recursive: true })
  writeFileSync(place.kubeconfig, 'apiVersion: v1\n')
  const record = { uid: 'ours', begun: '2026-11-22T03:00:00Z', networkWasThere: true, steps: {}, untold: [] }
  writeFileSync(place.record, JSON.stringify(record))
  return place
}

/** Answers to what is asked before anything else: whose cluster it is, and what is on it. */
function asUsual({ objects = everything.objects, secrets = [...everything.secrets] }: BenchOptions): Table {
  const kinds = ['namespaces', 'nodes', 'pods', 'services', 'networkpolicies.networking.k8s.io', 'secrets', 'events']
  return [
    ['kubectl config view', { stdout: 'https://127.0.0.1:41234' }],
    ['kubectl get namespace kube-system --output', { stdout: 'ours' }],
    ['kubectl api-resources', { stdout: `${kinds.join('\n')}\n` }],
    [/^kubectl get namespaces,.* -A -o json$/, { stdout: listOf(objects) }],
    ['kubectl get secrets -A', { stdout: secrets.map((one) => one.replace('/', '   ')).join('\n') }],
    [/^kubectl get pods .*-l /, { stdout: listOf([]) }],
    [/^docker exec bulkhead-control-plane date /, () => ({ stdout: `${(Date.now() / 1000).toFixed(9)}\n` })],
  ]
}

/** @param table what is asked beyond that; it is looked into first */
export function bench(t: TestContext, table: Table, options: BenchOptions = {}, place: Place = placeFor(t)): Bench {
  const notes: string[] = []
  const tools = recordingTools([...table, ...asUsual(options)])
  const quick = { pauseMs: 1, meshMs: 1, networkMs: 50, apartMs: 0 }
  const target = KindTarget.find(place, tools, { ...quick, onNote: (note) => notes.push(note), ...options })
  return { place, tools, target, notes }
}

export const seen = (more: Partial<Observation> = {}): string =>
  `${JSON.stringify({ symptom: 'ok', phase: 'answer', timings: { end: 3 }, bytes: 2, ...more })}\n`

/** What the probe was given on stdin. */
export function given(stdin: string | undefined): Readonly<Record<string, unknown>> {
  return JSON.parse(stdin ?? '{}')
}
