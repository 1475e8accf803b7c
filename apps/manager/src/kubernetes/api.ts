import http from 'node:http'
import https from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
// The client's watch alone: its index brings the models of all kinds, 70 MB of them (docs/decisions/0032).
import { Watch } from '@kubernetes/client-node/dist/watch.js'
import type { KubernetesAccess } from './access.js'
import { asRecord, textOf } from './objects.js'

/** A list that is longer is none that this service could keep. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024
/** Objects of one page: the API server need not hold more than that at once for us. */
const PAGE = 500

/** What the API server answered instead of what was asked for. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface Listed {
  readonly items: readonly unknown[]
  readonly resourceVersion: string
}

/**
 * All objects of a resource, page by page.
 *
 * @param path as `/api/v1/pods`
 * @throws ApiRefusal (403: the ServiceAccount may not; 410: the list changed too much between two pages), or Error
 */
export async function list(
  access: KubernetesAccess,
  path: string,
  timeoutMs: number,
  ended: AbortSignal,
): Promise<Listed> {
  const items: unknown[] = []
  let next = ''
  for (;;) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(next === '' ? {} : { continue: next }) })
    const body = asRecord(
      JSON.parse(await get(access, `${path}?${query}`, AbortSignal.any([ended, AbortSignal.timeout(timeoutMs)]))),
    )
    const metadata = asRecord(body.metadata)
    if (!Array.isArray(body.items) && body.items !== null) throw new Error(`${path}: the answer is no list`)
    for (const item of (body.items as unknown[] | null) ?? []) items.push(item)
    next = textOf(metadata.continue)
    if (next === '') return { items, resourceVersion: textOf(metadata.resourceVersion) }
  }
}

async function get(access: KubernetesAccess, path: string, signal: AbortSignal): Promise<string> {
  const { headers, tls } = await access.credentials()
  return new Promise((resolve, reject) => {
    const url = `${access.server}${path}`
    const failed = (error: Error): void =>
      reject(signal.aborted && !ended(signal) ? new Error(`${path}: no answer in time`, { cause: error }) : error)
    const request = client(access).get(
      url,
      { ...tls, headers: { ...headers, accept: 'application/json' }, agent: false, signal },
      (response) => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('error', failed)
        response.on('data', (chunk: Buffer) => {
          length += chunk.length
          chunks.push(chunk)
          if (length > MAX_PAGE_BYTES)
            request.destroy(new Error(`${path}: more than ${MAX_PAGE_BYTES} bytes in one page`))
        })
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const status = response.statusCode ?? 0
          if (status === 200) resolve(text)
          else reject(new ApiRefusal(status, `${path}: ${status} ${sentence(text)}`))
        })
      },
    )
    request.on('error', failed)
  })
}

const ended = (signal: AbortSignal): boolean => (signal.reason as Error | undefined)?.name !== 'TimeoutError'

/** What a Status object says, or the beginning of whatever came instead. */
function sentence(text: string): string {
  try {
    const { message } = asRecord(JSON.parse(text))
    if (typeof message === 'string') return message.slice(0, 300)
  } catch {
    // Not of the API server, then: a proxy's page.
  }
  return JSON.stringify(text.slice(0, 100))
}

const client = ({ server }: KubernetesAccess): typeof http | typeof https => (server.startsWith('http:') ? http : https)

/** One event of a watch, as it came. */
export type OnEvent = (type: string, object: unknown) => void

/**
 * Follows a resource until the watch ends: the server closed it, it broke, or `ended` was aborted. Resolves then; what it was is for the
 * caller to find by what came before.
 *
 * @throws ApiRefusal, Error
 */
export async function watch(
  access: KubernetesAccess,
  path: string,
  query: Readonly<Record<string, string>>,
  onEvent: OnEvent,
  onOpen: () => void,
  ended: AbortSignal,
): Promise<void> {
  const { headers, tls } = await access.credentials()
  const agent = new (client(access).Agent)(tls)
  // The client waits for the head of an answer as long as it takes; without its connection it waits no more.
  const stop = (): void => agent.destroy()
  try {
    await new Promise<void>((resolve, reject) => {
      if (ended.aborted) return resolve()
      ended.addEventListener('abort', () => {
        stop()
        resolve()
      })
      const config: Pick<KubeConfig, 'getCurrentCluster'> & Record<'applyToFetchOptions', () => Promise<object>> = {
        getCurrentCluster: () => ({ name: '', server: access.server, skipTLSVerify: false }),
        applyToFetchOptions: () => Promise.resolve({ agent, headers, redirect: 'error' }),
      }
      const done = (error: unknown): void => (error instanceof Error ? reject(asRefusal(error, path)) : resolve())
      // All that the client's watch asks of its configuration is these two.
      new Watch(config as unknown as KubeConfig)
        .watch(path, { ...query }, (type: string, object: unknown) => onEvent(type, object), done)
        .then(onOpen, reject)
    })
  } finally {
    stop()
  }
}

function asRefusal(error: Error & { readonly statusCode?: unknown }, path: string): Error {
  return typeof error.statusCode === 'number'
    ? new ApiRefusal(error.statusCode, `${path}: ${error.statusCode} ${error.message}`)
    : error
}
