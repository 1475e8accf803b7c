import { clusterName } from '../place.js'
import type { Command, RunOptions, Tools } from '../tools.js'
import { messageOf } from './errors.js'

/** How far the nodes' clock is ahead of this machine's is good for so long: one that slept comes back with another. */
const goodForMs = 5 * 60_000
const readMs = 20_000
/** A reading that takes no longer is off by half of it at most. */
const quickMs = 500

export interface ClockOptions {
  readonly tools: Tools
  /** Told when the clocks differ by more than the reading of them takes, and when the nodes' cannot be read. */
  readonly onNote?: (note: string) => void
  /** This machine's clock, in milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * The clock of the nodes, by which all records are written. Containers have their engine's: this machine's, or that of a virtual machine,
 * which may be behind after a sleep. All nodes have the same one, so one is asked.
 */
export class NodeClock {
  readonly #options: ClockOptions
  #read: { readonly at: number; readonly ahead: Promise<number> } | undefined
  #told = 0

  constructor(options: ClockOptions) {
    this.#options = options
  }

  /** Milliseconds; 0 where they are not known to differ. */
  async aheadMs(options: RunOptions = {}): Promise<number> {
    if (this.#read === undefined || performance.now() - this.#read.at > goodForMs) {
      const ahead = this.#ask(options)
      const read = { at: performance.now(), ahead }
      this.#read = read
      // One that was called off is nobody else's.
      ahead.catch(() => {
        if (this.#read === read) this.#read = undefined
      })
    }
    return this.#read.ahead
  }

  async #ask({ signal }: RunOptions): Promise<number> {
    let { said, began, ended } = await this.#readOnce(signal)
    // The longer it takes, the less it says: a machine that is busy is asked again.
    for (let more = 2; more > 0 && ended - began > quickMs; more -= 1) {
      const again = await this.#readOnce(signal)
      if (again.ended - again.began < ended - began) ({ said, began, ended } = again)
    }
    if (!/^\d{9,}\.\d+$/.test(said)) {
      this.#tell(0, `the clock of the nodes could not be read, and is taken for this machine's: ${said.slice(0, 300)}`)
      return 0
    }
    const ahead = Math.round(Number(said) * 1000 - (began + ended) / 2)
    // It was read at some time in between.
    if (Math.abs(ahead) <= (ended - began) / 2) return 0
    const apart = (Math.abs(ahead) / 1000).toFixed(1)
    this.#tell(
      ahead,
      `the nodes' clock is ${apart} s ${ahead > 0 ? 'ahead of' : 'behind'} this machine's: their records are read by it. Certificates are judged by it, too; restarting Docker sets it.`,
    )
    return ahead
  }

  async #readOnce(
    signal: AbortSignal | undefined,
  ): Promise<{ readonly said: string; readonly began: number; readonly ended: number }> {
    const { tools, now = Date.now } = this.#options
    const args = ['exec', `${clusterName}-control-plane`, 'date', '+%s.%N']
    const began = now()
    let said: string
    try {
      const command: Command = { tool: 'docker', args, timeoutMs: readMs }
      const { code, stdout, stderr } = await tools.run(command, signal === undefined ? {} : { signal })
      said = code === 0 ? stdout.trim() : stderr.trim() || `docker ended with ${code ?? 'a signal'}`
    } catch (error) {
      signal?.throwIfAborted()
      said = messageOf(error)
    }
    return { said, began, ended: now() }
  }

  /** Once for each that is much different from the last one. */
  #tell(ahead: number, note: string): void {
    if (ahead !== 0 && Math.abs(ahead - this.#told) < 1000) return
    this.#told = ahead
    this.#options.onNote?.(note)
  }
}
