import { generateKeyPairSync } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { type Attempt, flowOf, type Observation, type Scenario, type Through } from '@bulkhead/scenarios'
import { judge, type Snapshot } from '@bulkhead/verdict'
import type { Answer, Answers, Matcher, RecordingTools } from '../../testing/index.js'
import { outsideUp } from '../../testing/index.js'
import type { Command } from '../../tools.js'
import type { KindTarget } from '../kind-target.js'
import { type LiveObject, liveOf } from '../live/index.js'
import { bench } from './bench.js'
import { linesOf, type Written } from './fake-logs.js'
import { served } from './served.js'

export interface FakeClusterOptions {
  /** What the API server has. */
  readonly declared: readonly Resource[]
  /** What really enforces, where that is something else. */
  readonly enforced?: readonly Resource[]
  /** Whose answers the applications give. */
  readonly scenarios: readonly Scenario[]
  /** Who writes nothing down, or whose records cannot be read. */
  readonly mute?: Written['by']
  readonly unreadable?: Written['by']
}

/**
 * A cluster whose API server lists the manifests with a server's defaults, whose pods' attempts meet what the engine says of what enforces,
 * and whose ztunnels, agents and proxies write that down as the real ones do.
 */
export function fakeCluster(
  t: TestContext,
  { declared, enforced = declared, scenarios, mute, unreadable }: FakeClusterOptions,
): { readonly target: KindTarget; readonly tools: RecordingTools; readonly notes: readonly string[] } {
  const read = served(declared)
  const { snapshot } = liveOf(served(enforced), enforced)
  const pods = liveOf(read, declared).snapshot.pods
  const records = (by: Written['by'], pod?: string): Answer =>
    by === unreadable ? { code: 1, stderr: 'Error from server (Forbidden)' } : by === mute ? {} : world.log(by, pod)
  const world = new World(snapshot, pods, scenarios)
  const table: readonly (readonly [Matcher, Answers])[] = [
    ...outsideUp,
    [/^kubectl get pods .*-l /, ({ args }) => ({ stdout: witnesses(args.join(' '), read.objects) })],
    [/^kubectl logs -n istio-system ztunnel-/, () => records('ztunnel')],
    [/^kubectl logs -n /, ({ args }) => records('proxy', args[args.indexOf('-n') + 2])],
    [/^kubectl exec -n kube-system cilium-/, () => records('hubble')],
    [/^kubectl exec -i -n /, (command) => world.inPod(command)],
    [isFromHere, ({ stdin = '' }) => world.fromOutside(JSON.parse(stdin))],
    [/^docker exec -i \S+ /, (command) => world.onNode(command)],
    ['kubectl get secret -n', { stdout: JSON.stringify(stolen) }],
    ['kubectl create token', { stdout: 'a-token' }],
  ]
  return bench(t, table, { objects: read.objects, secrets: [...read.secrets], keptMs: 600_000 })
}

/** By its words, and not by a command line, in which a folder's name may be quoted. */
const isFromHere = ({ tool, args: [file, verb] }: Command): boolean =>
  tool === 'node' && file?.endsWith('/probe.mjs') === true && verb === 'attempt'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const base64 = (text: string): string => Buffer.from(text).toString('base64')
/** Every Secret, with whatever is stolen of one. */
const stolen = {
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } },
  data: {
    username: base64('admin@example.com'),
    password: base64('a-password'),
    'private-key.pem': base64(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
  },
}

const login = '/api/v1/auth/login'
const loggedIn = `${JSON.stringify({
  ...{ symptom: 'ok', phase: 'answer', timings: {}, bytes: 30 },
  http: { status: 200, headers: {}, body: '{"data":{"token":"a-token"}}' },
})}\n`

class World {
  /** What enforces. */
  readonly #snapshot: Snapshot
  /** As the API server lists them: another label is another name. */
  readonly #pods: Snapshot['pods']
  readonly #answers = new Map<string, Through>()
  /** Of the last attempt: here they take no time, so that all would be of one moment. */
  #written: readonly Written[] = []
  readonly #scenarios: readonly Scenario[]

  constructor(snapshot: Snapshot, pods: Snapshot['pods'], scenarios: readonly Scenario[]) {
    this.#snapshot = snapshot
    this.#pods = pods
    this.#scenarios = scenarios
    for (const { control } of scenarios)
      if (control !== undefined)
        this.#answers.set(keyOf(control.from, control.attempt), { status: control.status ?? 200 })
    // One that is somebody's control, too, answers as its own scenario wants it.
    for (const { from, attempt, expect } of scenarios)
      if (expect.through !== 'never') {
        const key = keyOf(from, attempt)
        this.#answers.set(key, { ...this.#answers.get(key), ...expect.through })
      }
  }

  log(by: Written['by'], pod?: string): Answer {
    const lines = this.#written.filter((one) => one.by === by && (pod === undefined || one.pod === pod))
    return { stdout: lines.map(({ line }) => `${line}\n`).join('') }
  }

  inPod({ args, stdin = '' }: Command): Answer {
    const at = args.indexOf('-n')
    const key = `${args[at + 1]}/${args[at + 2]}`
    const from = this.#pods.get(key)?.workload ?? key
    if (args.includes('bash')) return this.#byShell(from)
    const first = stdin.split('\n', 1)[0] ?? ''
    const owned = /^globalThis\[Symbol\.for\('bulkhead\.probe\.attempt'\)\]=(.*);$/.exec(first)?.[1]
    return this.attempt(from, JSON.parse(owned === undefined ? stdin : JSON.parse(owned)))
  }

  onNode({ args }: Command): Answer {
    const from = `node ${args[2]}`
    if (args.includes('bash')) return this.#byShell(from)
    const { attempt } = this.#scenarios.find((one) => one.from === from && one.attempt.kind === 'http') ?? {}
    if (attempt === undefined) return { code: 1, stderr: `nobody calls from ${from}` }
    const { symptom, http } = this.#met(from, attempt)
    const exits: Readonly<Record<string, number>> = { ok: 0, refused: 7, timeout: 28 }
    const head = http === undefined ? '' : `HTTP/1.1 ${http.status} x\r\n\r\n${http.body}`
    const told = { exitcode: exits[symptom] ?? 56, time_connect: symptom === 'timeout' ? 0 : 0.001, time_total: 0.002 }
    return { stdout: `${head}\nbulkhead-curl: ${JSON.stringify(told)}` }
  }

  /** By a NodePort, behind which is the port that the scenario names. */
  fromOutside(attempt: Attempt): Answer {
    const calls = this.#scenarios.flatMap((one) => [one, ...(one.control === undefined ? [] : [one.control])])
    const at = (port: number): string => keyOf('outside', { ...attempt, port })
    const found = calls.find((one) => one.from === 'outside' && keyOf('outside', one.attempt) === at(one.attempt.port))
    return found === undefined ? { code: 2, stderr: 'nobody calls so' } : this.attempt('outside', found.attempt)
  }

  attempt(from: string, attempt: Attempt): Answer {
    if (attempt.http?.path === login && from === 'gthulhu/gthulhu-manager') return { stdout: loggedIn }
    return { stdout: `${JSON.stringify(this.#met(from, attempt))}\n` }
  }

  #byShell(from: string): Answer {
    const found = this.#scenarios.find((one) => one.from === from && one.attempt.tls === undefined)
    if (found === undefined) return { code: 126, stderr: `nobody calls from ${from}` }
    const { symptom, http } = this.#met(from, found.attempt)
    const say = (ms: number, what: string): string => `bulkhead ${ms} ${what}\n`
    if (symptom === 'timeout') return { code: 124 }
    const hex = [...Buffer.from(http === undefined ? 'answer' : `HTTP/1.1 ${http.status} x\r\n\r\n${http.body}`)]
    const answer = symptom === 'ok' ? `${hex.map((byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('')}\n` : ''
    return { stdout: `${say(1, 'connected')}${answer}${say(symptom === 'late-reset' ? 10_001 : 3, 'end')}` }
  }

  /** What a client sees of it; who stopped it writes that down. */
  #met(from: string, attempt: Attempt): Observation {
    const flow = flowOf(from, attempt)
    this.#written = []
    const verdict = flow === undefined ? undefined : judge(flow, this.#snapshot)
    if (verdict === undefined || flow === undefined || verdict.outcome === 'allow') return this.#served(from, attempt)
    const { method = 'GET', path = '/', headers = {} } = attempt.http ?? {}
    const http = { method, path, host: headers.host ?? '-' }
    const call = { http, ...(flow.dns !== undefined && { dns: flow.dns.query }) }
    this.#written = linesOf(verdict, call, this.#snapshot)
    const { symptom } = verdict
    const refused = { 'rbac-403': 'RBAC: access denied', 'cilium-403': 'Access denied\r\n' } as const
    const body = symptom === 'rbac-403' || symptom === 'cilium-403' ? refused[symptom] : undefined
    return {
      ...{ symptom, phase: 'request', timings: { end: 3 }, bytes: 0 },
      ...(body !== undefined && { http: { status: 403, headers: {}, body } }),
    }
  }

  #served(from: string, attempt: Attempt): Observation {
    const {
      status = 200,
      headers = {},
      contains = 'served',
      json,
      absent,
    } = this.#answers.get(keyOf(from, attempt)) ?? {}
    const body =
      json === undefined && absent === undefined ? contains : JSON.stringify({ ...nested(json ?? {}), said: contains })
    const web = attempt.kind === 'http' || attempt.http !== undefined
    return {
      ...{ symptom: status >= 300 && status < 400 ? 'redirected' : 'ok', phase: 'answer' },
      ...{ timings: { end: 3 }, bytes: body.length, detail: { text: contains } },
      ...(web && { http: { status, headers, body } }),
    }
  }
}

/** The attempt as it was asked for, without what was resolved. */
function keyOf(from: string, attempt: Attempt): string {
  const { kind, to, port, http, tls, dns, send, certificate, as, postgres, mongo, bearer, times } = attempt
  return JSON.stringify([from, kind, to, port, http, tls, dns, send, certificate, as, postgres, mongo, bearer, times])
}

/** `a[0].b` as an object. */
function nested(json: NonNullable<Through['json']>): object {
  const whole: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(json)) {
    const keys = path.split(/[.[\]]+/).filter((key) => key !== '')
    const last = keys.pop() ?? ''
    let at: Record<string, unknown> = whole
    for (const [index, key] of keys.entries()) {
      const next = /^\d+$/.test(keys[index + 1] ?? last) ? [] : {}
      at[key] ??= next
      at = at[key] as Record<string, unknown>
    }
    at[last] = value
  }
  return whole
}

/** The pods that keep records. */
function witnesses(asked: string, objects: readonly LiveObject[]): string {
  const nodes = objects.filter(({ kind }) => kind === 'Node').map(({ metadata }) => metadata.name)
  const daemon = (namespace: string, name: string): readonly object[] =>
    nodes.map((nodeName) => ({
      metadata: { namespace, name: `${name}-${nodeName}` },
      ...{ spec: { nodeName }, status: { phase: 'Running', podIPs: [] } },
    }))
  const proxies = objects.filter(
    ({ kind, metadata }) => kind === 'Pod' && metadata.labels?.['gateway.networking.k8s.io/gateway-name'] !== undefined,
  )
  const items = asked.includes('app=ztunnel')
    ? daemon('istio-system', 'ztunnel')
    : asked.includes('k8s-app=cilium')
      ? daemon('kube-system', 'cilium')
      : proxies.map((pod) => ({ ...pod, status: { ...statusOf(pod), podIPs: [{ ip: statusOf(pod).podIP }] } }))
  return JSON.stringify({ items })
}

const statusOf = ({ status }: LiveObject): { readonly podIP?: unknown } =>
  typeof status === 'object' && status !== null ? status : {}
