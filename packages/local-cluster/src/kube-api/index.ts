import { randomUUID } from 'node:crypto'
import { createServer } from 'node:https'
import { connect, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServerCa, listenPrivately, type MeshLog, type OutsideCa } from '@bulkhead/mesh'
import type { Snapshot } from '@bulkhead/verdict'
import type { SeenPod } from '../seen-pod.js'
import { version } from './discovery.js'
import { nodeObject, podObject } from './objects.js'
import { type Rbac, readRbac } from './rbac.js'
import { Handler } from './server.js'
import { Store } from './store.js'
import { TokenFiles } from './token-files.js'
import { type Living, Tokens } from './tokens.js'
import type { ApiObject } from './types.js'
import { bookmarkEveryMs } from './watch.js'

const NAMES = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
/** Of Service default/kubernetes, and of the control plane's node. */
const ADDRESSES = ['10.96.0.1', '172.18.0.2']

/** What it tells of. */
export interface KubeSource {
  /** Every pod that runs or is on its way. */
  pods(): Iterable<SeenPod>
  snapshot(): Snapshot
  /** Called whenever a pod has changed. Returns the way to stop it. */
  onChange(listener: () => void): () => void
}

export interface KubeApiOptions {
  /** A private folder for its socket. */
  readonly runDir: string
  readonly log: Pick<MeshLog, 'warn'>
  /** For tests: of tokens. Default Date.now. */
  readonly now?: () => number
  /** For tests: how often a watch is told where it stands. Default 60 s. */
  readonly bookmarkMs?: number
  /** For tests: how many changes a watch may be behind. */
  readonly kept?: number
  /** For tests: after which share of its time a pod's token is replaced. */
  readonly renewAfter?: number
  /** For tests: how many watches may be open at a time. */
  readonly maxWatches?: number
}

/**
 * The API server of the local target, as far as it goes: pods and nodes as they are, read and watched over TLS by whoever has
 * a ServiceAccount's token and a role that allows it. It listens on no port: the way to it is the mesh's.
 */
export class KubeApi {
  /** PEM: what its clients have to trust. */
  readonly rootCa: string
  readonly tokens: Tokens
  readonly tokenFiles: TokenFiles
  readonly #ca: OutsideCa
  readonly #options: KubeApiOptions
  readonly #store: Store
  readonly #handler: Handler
  readonly #started = new Date()
  readonly #uids = new Map<string, string>()
  readonly #sockets = new Set<Duplex>()
  #source: KubeSource | undefined
  #ignore: () => void = () => undefined
  #looking: NodeJS.Immediate | undefined
  #rbac: { readonly of: Snapshot['resources']; readonly rbac: Rbac } | undefined
  #server: Promise<{ readonly server: Server; readonly path: string }> | undefined
  #closed = false

  private constructor(options: KubeApiOptions, ca: OutsideCa) {
    const { log, now, bookmarkMs = bookmarkEveryMs, kept, maxWatches, renewAfter } = options
    this.#options = options
    this.#ca = ca
    this.rootCa = ca.root
    this.#store = new Store(kept === undefined ? {} : { kept })
    const living: Living = {
      podUid: (namespace, name) => this.#pod(`${namespace}/${name}`)?.uid,
      accountUid: (namespace, name) => this.#accountUid(namespace, name),
    }
    this.tokens = new Tokens({ living, ...(now !== undefined && { now }) })
    this.tokenFiles = new TokenFiles(this.tokens, (text) => log.warn({}, text), renewAfter)
    this.#handler = new Handler({
      store: this.#store,
      rbac: () => this.#roles(),
      review: (token) => this.tokens.review(token),
      look: () => this.#look(),
      bookmarkMs,
      ...(maxWatches !== undefined && { maxWatches }),
      refused: (fields) => log.warn(fields, 'the API server refused a request'),
    })
  }

  static async create(options: KubeApiOptions): Promise<KubeApi> {
    const ca = await createServerCa({ commonName: 'kubernetes', names: NAMES, addresses: ADDRESSES })
    return new KubeApi(options, ca)
  }

  /** What it tells of from now on. */
  follow(source: KubeSource): void {
    this.#source = source
    this.#ignore = source.onChange(() => this.#soon())
    this.#soon()
  }

  /** Other objects are in force. */
  adopted(): void {
    this.#forgetAccounts()
    this.#soon()
  }

  /** A connection to it, on which TLS is to be spoken. */
  async dial(signal?: AbortSignal): Promise<Duplex> {
    if (this.#closed)
      throw Object.assign(new Error('connect ECONNREFUSED: the API server is closed'), { code: 'ECONNREFUSED' })
    this.#server ??= this.#open()
    const { path } = await this.#server
    signal?.throwIfAborted()
    return new Promise<Socket>((resolve, reject) => {
      const made = connect({ path, allowHalfOpen: true }, () => {
        made.off('error', reject)
        resolve(made)
      })
      made.once('error', reject)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#ignore()
    clearImmediate(this.#looking)
    this.#handler.close()
    const opened = await this.#server?.catch(() => undefined)
    for (const socket of this.#sockets) socket.destroy()
    if (opened !== undefined) await new Promise((resolve) => opened.server.close(resolve))
  }

  async #open(): Promise<{ readonly server: Server; readonly path: string }> {
    const { certificate: cert, key } = await this.#ca.issue(...NAMES, ...ADDRESSES)
    const server = createServer(
      {
        cert,
        key,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        headersTimeout: 10_000,
        requestTimeout: 60_000,
        keepAliveTimeout: 90_000,
      },
      (request, response) => void this.#handler.handle(request, response),
    )
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket))
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    const path = join(this.#options.runDir, 'k', 'api.sock')
    await listenPrivately(server, path)
    return { server, path }
  }

  #pod(key: string): SeenPod | undefined {
    for (const seen of this.#source?.pods() ?? []) if (seen.pod.key === key) return seen
    return undefined
  }

  #roles(): Rbac {
    const resources = this.#source?.snapshot().resources ?? []
    if (this.#rbac?.of !== resources) this.#rbac = { of: resources, rbac: readRbac(resources) }
    return this.#rbac.rbac
  }

  /** Every namespace has an account `default`. */
  #accountUid(namespace: string, name: string): string | undefined {
    const id = `ServiceAccount/${namespace}/${name}`
    return this.#hasAccount(id) ? this.#uidOf(id) : undefined
  }

  #hasAccount(id: string): boolean {
    const isThere = this.#source?.snapshot().resources.some((resource) => resource.id === id) === true
    return isThere || id.endsWith('/default')
  }

  /** An account that is made again under its name is another one, and the tokens of the first are not its own. */
  #forgetAccounts(): void {
    for (const id of [...this.#uids.keys()])
      if (id.startsWith('ServiceAccount/') && !this.#hasAccount(id)) this.#uids.delete(id)
  }

  #uidOf(id: string): string {
    const known = this.#uids.get(id) ?? randomUUID()
    this.#uids.set(id, known)
    return known
  }

  /** Changes come in heaps, and are told when the heap is whole. */
  #soon(): void {
    this.#looking ??= setImmediate(() => this.#look())
  }

  #look(): void {
    clearImmediate(this.#looking)
    this.#looking = undefined
    const source = this.#source
    if (source === undefined || this.#closed) return
    const { nodes, platform } = source.snapshot()
    const all = new Map([...nodes, platform.controlPlane].map((node) => [node.name, node]))
    const now = new Date()
    const podObjects = new Map<string, ApiObject>()
    for (const seen of source.pods()) {
      const { key, node } = seen.pod
      const before = this.#store.get('pods', key)?.object
      const same = before?.metadata.uid === seen.uid ? before : undefined
      podObjects.set(key, podObject(seen, all.get(node)?.ip ?? '', same, now))
    }
    const nodeObjects = new Map<string, ApiObject>()
    for (const [name, node] of all) {
      const options = { uid: this.#uidOf(`Node/${name}`), started: this.#started, version: version.gitVersion }
      nodeObjects.set(name, nodeObject(node, { ...options, controlPlane: node === platform.controlPlane }))
    }
    this.#store.put('nodes', nodeObjects)
    this.#store.put('pods', podObjects)
  }
}
