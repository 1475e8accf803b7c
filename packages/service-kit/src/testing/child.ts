import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { cleanUp } from '@bulkhead/testing'

export interface Line {
  readonly [field: string]: unknown
  readonly msg: string
}

/** A service as a child process, whose log is read as it comes. Killed when the test ends, if it is still there. */
export class Child {
  readonly process: ChildProcess
  readonly lines: Line[] = []
  stderr = ''
  readonly exited: Promise<number | null>
  #rest = ''
  #waiting: (() => void)[] = []

  constructor(t: TestContext, script: string, env: Record<string, string>) {
    this.process = spawn(process.execPath, [script], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process.stdout?.on('data', (data: Buffer) => this.#take(data.toString()))
    this.process.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString()
    })
    this.exited = once(this.process, 'close').then(([code]) => code as number | null)
    cleanUp(t, () => {
      this.process.kill('SIGKILL')
      return this.exited
    })
  }

  /** The first line for which this holds, come or to come. */
  async line(holds: (line: Line) => boolean, what: string, ms = 20_000): Promise<Line> {
    for (const deadline = performance.now() + ms; ; ) {
      const found = this.lines.find(holds)
      if (found !== undefined) return found
      const left = deadline - performance.now()
      if (left <= 0 || this.process.exitCode !== null) throw new Error(`no line "${what}"; stderr: ${this.stderr}`)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        setTimeout(resolve, Math.min(left, 100))
      })
    }
  }

  /** The port it listens on, once it does. */
  async port(): Promise<number> {
    const { address } = await this.line(({ msg }) => msg === 'listening', 'listening')
    return Number(String(address).split(':').at(-1))
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.lines.push(JSON.parse(line) as Line)
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
