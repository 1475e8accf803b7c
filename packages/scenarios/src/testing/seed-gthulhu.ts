import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { compile, type Flow, judge, outsideAddress, type Snapshot, type Step, type Verdict } from '@bulkhead/verdict'

export const root = resolve(import.meta.dirname, '../../../..')
const fixtures = join(root, 'packages/scenarios/fixtures/seed-gthulhu')

function read(file: string): readonly Resource[] {
  return readText(readFileSync(file, 'utf8'), file)
}

function readText(text: string, file: string): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(text, file)
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

/** The seeds' objects as they were installed, by what they are; some in the way that somebody would first mend them. */
export const seed = {
  workloads: read(join(fixtures, 'workloads.yaml')),
  ambient: read(join(fixtures, 'ambient.yaml')),
  networkPolicies: read(join(fixtures, 'network-policies.yaml')),
  gateway: read(join(fixtures, 'gateway.yaml')),
  waypoint: read(join(fixtures, 'waypoint.yaml')),
  managerPolicy: read(join(fixtures, 'manager-allow-scheduler-or-chrome.yaml')),
  chromeOnly: read(join(fixtures, 'gthulhu-gateway-allow-chrome-only.yaml')),
} as const

/** A file of the seeds, or any other by its whole path, with a piece of its text put otherwise, which has to be there once. */
export function changed(file: string, from: string, to: string): readonly Resource[] {
  const path = resolve(fixtures, file)
  const pieces = readFileSync(path, 'utf8').split(from)
  assert.equal(pieces.length, 2, `${JSON.stringify(from)} is in ${file} ${pieces.length - 1} times`)
  return readText(pieces.join(to), path)
}

export function snapshotOf(...objects: readonly (readonly Resource[])[]): Snapshot {
  return compile(objects.flat())
}

export const chromeOnMac =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'

/** A request from outside, at the door. */
export function atTheDoor(path: string, userAgent: string, method = 'GET'): Flow {
  const headers = { 'user-agent': userAgent }
  return {
    from: { external: outsideAddress },
    to: { service: 'default/gthulhu-gw-istio' },
    port: 80,
    http: { method, path, host: '127.0.0.1:30450', headers },
  }
}

/** A request from a pod to a Service. */
export function ask(from: string, service: string, port: number, path = '/', method = 'GET'): Flow {
  return {
    from: { workload: `default/${from}` },
    to: { service: `default/${service}` },
    port,
    http: { method, path, host: service },
  }
}

/** A connection from a pod to a Service, or to a pod by its own address. */
export function connect(from: string, to: { readonly service: string } | { readonly pod: string }, port: number): Flow {
  const destination = 'service' in to ? { service: `default/${to.service}` } : { workload: `default/${to.pod}` }
  return { from: { workload: `default/${from}` }, to: destination, port }
}

/** `allow`, or what denies: the point and the reason, and what the client sees. */
export function said(flow: Flow, snapshot: Snapshot): string {
  const verdict = judge(flow, snapshot)
  const step = decisive(verdict)
  return step === undefined ? verdict.outcome : `${step.point} ${step.code}, ${verdict.symptom}`
}

function decisive({ outcome, decidedBy, steps }: Verdict): Step | undefined {
  return outcome === 'allow' ? undefined : steps[decidedBy?.step ?? -1]
}

/** Why a flow walks past a waypoint, for each hop that does. */
export function walkedPast(flow: Flow, snapshot: Snapshot): readonly unknown[] {
  return judge(flow, snapshot)
    .steps.filter(({ code }) => code === 'waypoint.walked-past')
    .map(({ facts }) => facts?.why)
}
