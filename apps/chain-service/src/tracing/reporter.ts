import { Pool } from 'undici'

/** A span in Zipkin's v2 JSON. Times in microseconds. */
export interface ZipkinSpan {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly kind?: 'SERVER' | 'CLIENT'
  readonly shared?: true
  readonly timestamp: number
  readonly duration: number
  readonly localEndpoint: { readonly serviceName: string; readonly ipv4?: string; readonly port: number }
  readonly tags: Readonly<Record<string, string>>
}

/** Memory: a collector that is down must not make the service grow. Above this, new spans are dropped. */
export const MAX_QUEUED = 1_000
export const BATCH = 100
const FLUSH_MS = 1_000
/** A collector that hangs holds one connection and one batch for this long, and nothing else. */
const POST_TIMEOUT_MS = 5_000
/** At shutdown: the last spans are worth a moment, not the grace period. */
const CLOSE_TIMEOUT_MS = 1_000

export interface ReporterOptions {
  readonly endpoint: URL
  readonly onDropped: (spans: number, why: string) => void
}

/** Posts spans in the background, a batch at a time. Reporting never waits, never throws, and never keeps the process alive. */
export class ZipkinReporter {
  readonly #pool: Pool
  readonly #path: string
  readonly #onDropped: (spans: number, why: string) => void
  #queue: ZipkinSpan[] = []
  #timer: NodeJS.Timeout | undefined
  #posting: Promise<void> | undefined

  constructor({ endpoint, onDropped }: ReporterOptions) {
    this.#pool = new Pool(endpoint.origin, {
      connections: 1,
      headersTimeout: POST_TIMEOUT_MS,
      bodyTimeout: POST_TIMEOUT_MS,
      connect: { timeout: POST_TIMEOUT_MS },
    })
    this.#path = `${endpoint.pathname.replace(/\/$/, '')}/api/v2/spans`
    this.#onDropped = onDropped
  }

  report(span: ZipkinSpan): void {
    if (this.#queue.length >= MAX_QUEUED) {
      this.#onDropped(1, 'the queue is full')
      return
    }
    this.#queue.push(span)
    if (this.#queue.length >= BATCH) this.#post()
    else this.#timer ??= setTimeout(() => this.#post(), FLUSH_MS).unref()
  }

  /** Posts what waits, for at most a second. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
    })
    this.#post()
    await Promise.race([this.#drained(), late])
    clearTimeout(timer)
    await this.#pool.destroy()
  }

  async #drained(): Promise<void> {
    while (this.#posting !== undefined) await this.#posting
  }

  #post(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#posting !== undefined || this.#queue.length === 0) return
    const batch = this.#queue.splice(0, BATCH)
    this.#posting = this.#send(batch).then(() => {
      this.#posting = undefined
      if (this.#queue.length >= BATCH || (this.#queue.length > 0 && this.#timer === undefined)) this.#post()
    })
  }

  async #send(batch: readonly ZipkinSpan[]): Promise<void> {
    try {
      const { statusCode, body } = await this.#pool.request({
        method: 'POST',
        path: this.#path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(batch),
      })
      await body.dump()
      if (statusCode >= 300) this.#onDropped(batch.length, `the collector answered ${statusCode}`)
    } catch (error) {
      this.#onDropped(batch.length, error instanceof Error ? error.message : String(error))
    }
  }
}
