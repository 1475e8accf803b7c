import { kitErrors } from '@bulkhead/service-kit'

export interface WorkQueueOptions {
  /** How many run at a time. */
  readonly concurrency: number
  /** How many may wait, of all callers and of one. */
  readonly maxWaiting: number
  readonly maxWaitingOfOne: number
  /** How many more may wait of callers who are known: strangers cannot take all places. */
  readonly reserved?: number
  /** How long one may wait for its turn. */
  readonly maxWaitMs: number
}

interface Waiting {
  readonly start: () => void
}

/**
 * Lets a bounded number of costly things run at a time. Those who wait are served in turn by caller, not by arrival: one
 * who brings a thousand waits behind himself, and another is next.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  /** By caller; the first caller is the next to be served, and then goes to the end. */
  readonly #waiting = new Map<string, Waiting[]>()
  #running = 0
  #count = 0

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#count
  }

  /**
   * Runs the work when its turn comes.
   * @throws ServiceError UNAVAILABLE with Retry-After when too many wait already, or it waited too long
   */
  async run<T>(caller: string, work: () => Promise<T>, known = false): Promise<T> {
    if (this.#running < this.#options.concurrency) this.#running++
    else await this.#turn(caller, known)
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  #turn(caller: string, known: boolean): Promise<void> {
    const { maxWaitingOfOne, maxWaitMs, reserved = 0 } = this.#options
    const maxWaiting = this.#options.maxWaiting + (known ? reserved : 0)
    const own = this.#waiting.get(caller) ?? []
    if (this.#count >= maxWaiting || own.length >= maxWaitingOfOne) return Promise.reject(busy())
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        start: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#remove(caller, entry)
        reject(busy())
      }, maxWaitMs)
      own.push(entry)
      this.#waiting.set(caller, own)
      this.#count++
    })
  }

  #next(): void {
    const first = this.#waiting.entries().next()
    if (first.done) {
      this.#running--
      return
    }
    const [caller, own] = first.value
    const entry = own.shift()
    this.#count--
    this.#waiting.delete(caller)
    if (own.length > 0) this.#waiting.set(caller, own)
    entry?.start()
  }

  #remove(caller: string, entry: Waiting): void {
    const own = this.#waiting.get(caller)
    const at = own?.indexOf(entry) ?? -1
    if (own === undefined || at === -1) return
    own.splice(at, 1)
    this.#count--
    if (own.length === 0) this.#waiting.delete(caller)
  }
}

const busy = () =>
  kitErrors.error('UNAVAILABLE', 'Too many logins and password changes are waiting; try again shortly.', {
    headers: { 'retry-after': '2' },
  })
