import type { FlowRecord, Step, Verdict } from '@bulkhead/verdict'
import type { AdmissionStep } from '@bulkhead/verdict/admission'
import type { Admitted, Evidence, Observation, Scenario } from '../types.js'

/** Samples for tests: an attack that layer 50-identity stops, and every view of it, all in agreement. */

const get = {
  kind: 'http',
  to: { service: 'shop/web-api' },
  port: 8080,
  http: { method: 'GET', path: '/' },
} as const

export const attack: Scenario = {
  id: 'notsleep-to-web-api',
  title: 'a stranger in the mesh calls web-api',
  story: 'notsleep tries.',
  kind: 'attack',
  from: 'shop/notsleep',
  attempt: get,
  expect: {
    walls: [
      {
        layer: '50-identity',
        symptom: 'reset',
        code: 'authz.no-rule-allows',
        policy: 'AuthorizationPolicy/shop/web-api-rbac',
      },
    ],
    through: { status: 200, contains: 'Hello' },
  },
  notice: 'a line in the log',
  control: { from: 'shop/sleep', attempt: get },
  file: 'scenarios/notsleep-to-web-api.yaml',
}

export const legitimate: Scenario = {
  id: 'sleep-to-web-api',
  title: 'sleep is served',
  story: 'It is meant to be.',
  kind: 'legitimate',
  from: 'shop/sleep',
  attempt: get,
  expect: { walls: [], through: { status: 200 } },
  notice: 'a line in the log',
  remains: 'whoever owns sleep may ask web-api',
  file: 'scenarios/sleep-to-web-api.yaml',
}

export const denial: Step = {
  hop: 0,
  point: 'ztunnel',
  engine: 'istio',
  layer: '50-identity',
  outcome: 'deny',
  code: 'authz.no-rule-allows',
  isolatedBy: [
    { policy: 'AuthorizationPolicy/shop/allow-nothing', layer: '50-identity', at: 'k8s/layers/50-identity/a.yaml:13' },
    { policy: 'AuthorizationPolicy/shop/web-api-rbac', layer: '50-identity', at: 'k8s/layers/50-identity/w.yaml:14' },
  ],
}

const hop = {
  from: 'shop/notsleep',
  to: 'shop/web-api',
  tuple: { src: '10.244.1.2', dst: '10.244.2.2', port: 15008, protocol: 'TCP' },
} as const

export const denied: Verdict = {
  outcome: 'deny',
  decidedBy: { hop: 0, step: 0 },
  symptom: 'reset',
  hops: [hop],
  steps: [denial],
  text: 'denied',
}

export const allowed: Verdict = { outcome: 'allow', symptom: 'ok', hops: [hop], steps: [], text: 'allowed' }

export function record(changes: Partial<FlowRecord> = {}): FlowRecord {
  return {
    id: 1,
    generation: 1,
    start: '2026-01-01T00:00:00.000Z',
    durationMs: 2,
    source: { workload: 'shop/notsleep', ip: '10.244.1.2' },
    destination: { workload: 'shop/web-api', ip: '10.244.2.2', port: 8080 },
    protocol: 'TCP',
    transport: 'hbone',
    outcome: 'deny',
    steps: [denial],
    decidedBy: 0,
    symptom: 'reset',
    flag: 'DENY',
    bytesSent: 80,
    bytesReceived: 0,
    ...changes,
  }
}

export const reset: Observation = {
  symptom: 'reset',
  phase: 'request',
  timings: { connect: 1, end: 2 },
  bytes: 0,
  error: { code: 'ECONNRESET', message: 'read ECONNRESET' },
}

export function served(body = 'Hello From Web API', status = 200): Observation {
  return {
    symptom: 'ok',
    phase: 'answer',
    timings: { connect: 1, firstByte: 3, end: 4 },
    bytes: 100 + body.length,
    http: { status, headers: {}, body },
  }
}

export const stopped: Evidence = { observation: reset, flows: [record()] }

export function through(observation: Observation = served()): Evidence {
  const { decidedBy: _, ...open } = record({ outcome: 'allow', steps: [], symptom: 'ok', flag: '-' })
  return { observation, flows: [open] }
}

/** A pod that is not let in: layer 10-admission refuses it. */
export const refusedPod: Scenario = {
  id: 'hacker-root',
  title: 'a pod that runs as root',
  story: 'Somebody may create pods.',
  kind: 'attack',
  from: 'sandbox/hacker-root',
  given: { manifests: ['k8s/attacks/hacker-root.yaml'] },
  attempt: { kind: 'run', to: { workload: 'sandbox/hacker-root' }, port: 8080 },
  expect: {
    walls: [
      {
        layer: '10-admission',
        symptom: 'admission-refused',
        code: 'admission.denied',
        policy: 'ValidatingPolicy/disallow-root-user',
        message: 'Running as root is forbidden',
      },
    ],
    through: { contains: 'hacker-root' },
  },
  notice: 'an event of Kyverno',
  control: { from: 'shop/sleep', attempt: get },
  file: 'scenarios/hacker-root.yaml',
}

export const noRoot: AdmissionStep = {
  engine: 'kyverno',
  does: 'validate',
  layer: '10-admission',
  outcome: 'deny',
  code: 'admission.denied',
  policy: 'ValidatingPolicy/disallow-root-user',
  at: 'k8s/layers/10-admission/disallow-root-user/policy.yaml:20',
  message: 'Running as root is forbidden',
}

const account: Admitted = { outcome: 'allow', steps: [], warnings: [], object: { id: 'ServiceAccount/sandbox/hacker' } }

export const pod: Admitted = { ...account, object: { id: 'Pod/sandbox/hacker-root' } }

/** What is said of a ServiceAccount, which may be, and of a pod that these policies refuse. */
export function refusal(...steps: readonly AdmissionStep[]): readonly [Admitted, Admitted] {
  const said = steps.map(({ policy = '', message = '' }) => `Policy ${policy.split('/')[1]} failed: ${message}`)
  const message = `admission webhook "vpol.validate.kyverno.svc-fail" denied the request: ${said.join('; ')}`
  const letBy: AdmissionStep = { engine: 'psa', does: 'validate', outcome: 'allow', code: 'admission.allowed' }
  return [
    account,
    { ...pod, outcome: 'deny', decidedBy: 1, steps: [letBy, ...steps], refusal: { status: 403, reason: '', message } },
  ]
}

/** What a target rejects a change with that admission refuses. */
export function refusedError(admissions: readonly Admitted[]): Error {
  return Object.assign(new Error('not created'), { code: 'refused', admissions })
}
