import { randomUUID } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import type { TestContext } from 'node:test'
import { connect } from 'node:tls'
import type { Resource } from '@bulkhead/resources'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import type { Snapshot } from '@bulkhead/verdict'
import { KubeApi, type KubeApiOptions } from '../kube-api/index.js'
import type { PlannedContainer, PodPlan } from '../plan.js'
import type { SeenContainer, SeenPod } from '../seen-pod.js'
import { pod as somePod } from '../testing.js'

const planned = (name: string): PlannedContainer => ({
  spec: { name, image: `${name}:1`, command: ['node', '/app/main.js'] },
  image: { root: '', entrypoint: [], cmd: [] },
  argv: ['node'],
  env: {},
})

export interface FakePod {
  readonly init?: readonly string[]
  readonly containers?: readonly SeenContainer[]
  readonly ready?: boolean
  readonly leaving?: Date
  readonly labels?: Readonly<Record<string, string>>
  readonly account?: string
  readonly uid?: string
}

export const running = (name = 'app'): SeenContainer => ({
  name,
  image: `${name}:1`,
  phase: 'running',
  pid: 4711,
  id: '0123456789abcdef',
  restarts: 0,
  started: new Date('2026-01-02T03:04:05.678Z'),
})

/** A pod as the local target would see it, of one container `app`. */
export function seenPod(key: string, fake: FakePod = {}): SeenPod {
  const [namespace = '', name = ''] = key.split('/')
  const { init = [], containers = [running()], ready = true, leaving, labels = { app: 'web' }, account = 'web' } = fake
  const pod = { ...somePod, key, namespace, name, labels, serviceAccount: account }
  const plan: PodPlan = {
    pod,
    kind: 'Deployment',
    spec: { containers: [planned('app').spec] },
    context: { pod, annotations: {}, hostIp: '172.18.0.3', find: () => undefined, secrets: { of: () => ({}) } },
    init: init.map(planned),
    containers: [planned('app')],
    claims: new Map(),
    fingerprint: '',
  }
  return {
    pod,
    plan,
    uid: fake.uid ?? randomUUID(),
    created: new Date('2026-01-02T03:04:05Z'),
    ...(leaving !== undefined && { leaving }),
    containers,
    ready: () => ready,
  }
}

/** An API server of pods that the test makes up; asked over real TLS. */
export async function kubeWorld(t: TestContext, resources: readonly Resource[], options: Partial<KubeApiOptions> = {}) {
  const told: object[] = []
  const log = { warn: (fields: object, message: string) => void told.push({ message, ...fields }) }
  const api = await KubeApi.create({ runDir: temporaryFolder(t), log, ...options })
  cleanUp(t, () => api.close())
  const pods = new Map<string, SeenPod>()
  const listeners = new Set<() => void>()
  const node = { name: 'bulkhead-worker', ip: '172.18.0.3' }
  let snapshot = {
    resources,
    nodes: [node],
    platform: { controlPlane: { name: 'bulkhead-control-plane', ip: '172.18.0.2' } },
  } as unknown as Snapshot
  api.follow({
    pods: () => pods.values(),
    snapshot: () => snapshot,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  const changed = () => {
    for (const listener of listeners) listener()
  }
  return {
    api,
    told,
    /** From now on there are these objects. */
    adopt(now: readonly Resource[]) {
      snapshot = { ...snapshot, resources: now }
      api.adopted()
    },
    put(seen: SeenPod) {
      pods.set(seen.pod.key, seen)
      changed()
    },
    remove(key: string) {
      pods.delete(key)
      changed()
    },
    async tokenOf(seen: SeenPod, audience?: string): Promise<string> {
      const { namespace, name, node: on, serviceAccount } = seen.pod
      const bound = { namespace, name, uid: seen.uid, node: on, serviceAccount }
      return (await api.tokens.issue(bound, audience === undefined ? {} : { audience })).token
    },
  }
}

export interface Asked {
  readonly token?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answer {
  readonly code: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** One request, on a connection of its own, that trusts the API server's root and nothing else. */
export async function ask(api: KubeApi, path: string, asked: Asked = {}): Promise<Answer> {
  const { response, done } = await open(api, path, asked)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  done()
  return { code: response.statusCode ?? 0, headers: response.headers, text }
}

/** A watch: its lines as they come. */
export async function watch(t: TestContext, api: KubeApi, path: string, asked: Asked) {
  const { response, done } = await open(api, path, asked)
  cleanUp(t, done)
  let text = ''
  let ended = false
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  response
    .on('error', () => undefined)
    .once('close', () => {
      ended = true
    })
  type Line = { readonly type: string; readonly object: Readonly<Record<string, Record<string, unknown>>> }
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line)
  return {
    code: response.statusCode,
    lines,
    /** `ADDED web-1` */
    said: () =>
      lines().map(({ type, object }) => `${type} ${object.metadata?.name ?? object.metadata?.resourceVersion}`),
    ended: () => ended,
    leave: done,
    stopReading: () => void response.pause(),
    readOn: () => void response.resume(),
  }
}

async function open(api: KubeApi, path: string, { token, method = 'GET', headers = {}, body }: Asked) {
  const wire = await api.dial()
  const socket = connect({ socket: wire, ca: api.rootCa, servername: 'kubernetes.default.svc' })
  socket.on('error', () => undefined)
  const auth = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  const request = httpsRequest({
    createConnection: () => socket,
    path,
    method,
    headers: { ...auth, ...length, ...headers },
  })
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
    request.end(body)
  })
  return { response, done: () => socket.destroy() }
}
