import { randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { grown, liveBytes, openHandles } from './held.js'
import { caseSeed, type Random, randomOf } from './random.js'
import { watchdog } from './watchdog.js'

/*
 * One harness for everything that reads what others wrote: many seeded cases, some at a time, none of which may crash or
 * hang it, or leave anything behind; and a good client is served before, between and after them.
 */

/** What is given broken input. */
export interface Target<C> {
  readonly name: string
  /** One case, as data: it is printed, and made smaller. */
  make(random: Random): C
  /** Runs it to its end. Rejects when something is not as it has to be, whatever the input. */
  run(input: C): Promise<void> | void
  /** Simpler cases, the simplest first. */
  smaller(input: C): Iterable<C>
  print(input: C): string
  /** Serves a good client, or rejects. */
  control(): Promise<void> | void
  /** What it holds between the cases, by name: sockets, entries of maps. */
  held?(): Readonly<Record<string, number>>
  /** Called when no case runs. */
  quiet?(): void
  /** How many cases run at a time; default 1. */
  readonly parallel?: number
  /** A case that takes longer hangs, unless a good client is served slowly too: then the machine is busy. */
  readonly deadlineMs: number
  /** What may live longer than the cases in bytes, over the whole run after its first part; default 4 MiB. */
  readonly growthBytes?: number
}

export const isLong = process.env.BULKHEAD_LONG === '1'
/** How many cases a run has. */
export const CASES = isLong ? 100_000 : 1_000
/** The first cases fill what is filled once: compiled code, pools, rings. */
const WARM_UP = 0.2
/** The good client comes this often, and memory is looked at. */
const ROUNDS = isLong ? 25 : 2
const SETTLE_MS = 15_000
/** For one case by itself. */
const SETTLE_ALONE_MS = 4_000
/** A good client that takes this part of a case's deadline has a slow machine. */
const SLOW = 0.2
const PATIENCE = 6
const SHRINK_MS = isLong ? 300_000 : 60_000
const FILES = 'file descriptors'
const OPENED_ONCE = 8
const MiB = 2 ** 20

/**
 * Runs the cases: 1,000, or 100,000 with BULKHEAD_LONG=1. BULKHEAD_SEED repeats a run, BULKHEAD_CASE one of its cases. A
 * failing case is made smaller as long as it still fails, and printed with how to run it again. Resolves with how many
 * cases there were.
 */
export async function fuzz<C>(t: Pick<TestContext, 'diagnostic'>, target: Target<C>): Promise<number> {
  const seed = Number(process.env.BULKHEAD_SEED ?? randomInt(2 ** 31))
  const only = process.env.BULKHEAD_CASE === undefined ? undefined : Number(process.env.BULKHEAD_CASE)
  t.diagnostic(`seed ${seed}; again with BULKHEAD_SEED=${seed}`)
  const make = (index: number) => target.make(randomOf(caseSeed(seed, index)))
  const says = `${target.name}: case % of seed ${seed}, or one beside it, does not give the event loop back`
  const dog = await watchdog(says)
  const crashes = new Crashes()
  const runner = new Runner(target, crashes)
  try {
    await target.control()
    let rest = restOf(target)
    if (only !== undefined) return await alone(runner, make(only), `case ${only} of seed ${seed}`)
    let live = 0
    const lived: number[] = []
    const rounds = [
      0,
      WARM_UP,
      ...Array.from({ length: ROUNDS }, (_, i) => WARM_UP + ((1 - WARM_UP) * (i + 1)) / ROUNDS),
    ]
    for (const [round, from] of rounds.slice(0, -1).entries()) {
      const range = [Math.floor(from * CASES), Math.floor((rounds[round + 1] ?? 1) * CASES)] as const
      const failed = await runner.all(range, make, (index) => dog.started(index))
      if (failed !== undefined) throw await found(runner, failed, make, seed)
      const held = await settled(target, round === 0 ? withOpenedOnce(rest) : rest, SETTLE_MS)
      if (round === 0) rest = { ...rest, [FILES]: Math.max(rest[FILES] ?? 0, restOf(target)[FILES] ?? 0) }
      const cases = Array.from({ length: range[1] - range[0] }, (_, i) => range[0] + i)
      if (held !== undefined) throw await found(runner, { cases, error: held }, make, seed)
      target.quiet?.()
      await runner.control()
      live = await liveBytes()
      lived.push(live)
    }
    const [first = 0] = lived
    // The middle of the last three: what one look meets may be on its way out.
    const [, last = live] = lived.slice(-3).sort((a, b) => a - b)
    const grew = last - first
    t.diagnostic(
      `${CASES} cases; ${(first / MiB).toFixed(1)} MiB lived after the first ${WARM_UP * CASES}, ${(last / MiB).toFixed(1)} at the end; ${runner.slow} waits for a busy machine`,
    )
    if (grew > (target.growthBytes ?? 4 * MiB))
      throw new Error(
        `${target.name}: memory grew by ${(grew / MiB).toFixed(1)} MiB over ${CASES * (1 - WARM_UP)} cases (seed ${seed}): ${lived.map((bytes) => (bytes / MiB).toFixed(1)).join(', ')}`,
      )
    return CASES
  } finally {
    crashes.end()
    await dog.end()
  }
}

interface Failed {
  /** Cases that ran when it happened, the likeliest first. */
  readonly cases: readonly number[]
  readonly error: unknown
}

/** Errors that nobody caught: in any other process than a test's they would have been its end. */
class Crashes {
  readonly #own = (error: unknown) => {
    this.first ??= new Error(`it crashed: ${text(error)}`)
    for (const tell of this.waiting) tell()
  }
  readonly #others = (['uncaughtException', 'unhandledRejection'] as const).map((event) => {
    const listeners = process.listeners(event as 'uncaughtException')
    process.removeAllListeners(event)
    process.on(event, this.#own)
    return { event, listeners }
  })
  first: Error | undefined
  readonly waiting = new Set<() => void>()

  end(): void {
    for (const { event, listeners } of this.#others) {
      process.off(event, this.#own)
      for (const listener of listeners) process.on(event, listener)
    }
  }
}

class Runner<C> {
  readonly target: Target<C>
  readonly #crashes: Crashes
  slow = 0

  constructor(target: Target<C>, crashes: Crashes) {
    this.target = target
    this.#crashes = crashes
  }

  /** Runs a range of cases, some at a time, up to the first failure. */
  async all(
    [from, to]: readonly [number, number],
    make: (index: number) => C,
    started: (index: number) => void,
  ): Promise<Failed | undefined> {
    const running = new Set<number>()
    let next = from
    let failed: Failed | undefined
    const worker = async () => {
      while (next < to && failed === undefined) {
        const index = next
        next += 1
        started(index)
        running.add(index)
        try {
          await this.one(make(index))
        } catch (error) {
          failed ??= { cases: [index, ...[...running].filter((other) => other !== index)], error }
        }
        running.delete(index)
        if (index % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await Promise.all(Array.from({ length: this.target.parallel ?? 1 }, worker))
    return failed
  }

  /** Rejects when it fails, hangs or crashes. */
  async one(input: C): Promise<void> {
    const { deadlineMs } = this.target
    let over = false
    // In a turn of its own, so that what it throws at once is caught as what it rejects with.
    const run = (async () => this.target.run(input))().finally(() => {
      over = true
    })
    run.catch(() => {})
    for (let patience = 1; !over; patience += 1) {
      await this.#within(run, deadlineMs)
      if (over) break
      const began = performance.now()
      await this.#within(Promise.resolve(this.target.control()), deadlineMs)
      const tookMs = performance.now() - began
      if (over) break
      if (tookMs < deadlineMs * SLOW || patience === PATIENCE)
        throw new Error(
          `it hangs: no end within ${patience} times ${deadlineMs} ms, and a good client took ${Math.round(tookMs)} ms`,
        )
      this.slow += 1
    }
    await run
  }

  /** Until it is over or the time is; rejects when something crashes. */
  async #within(work: Promise<void>, ms: number): Promise<void> {
    let tell = () => {}
    let timer: NodeJS.Timeout | undefined
    const first = new Promise<void>((resolve) => {
      tell = resolve
      timer = setTimeout(resolve, ms)
    })
    this.#crashes.waiting.add(tell)
    await Promise.race([work.catch(() => {}), first])
    this.#crashes.waiting.delete(tell)
    clearTimeout(timer)
    if (this.#crashes.first !== undefined) throw this.#crashes.first
  }

  async control(): Promise<void> {
    await this.target.control()
    if (this.#crashes.first !== undefined) throw this.#crashes.first
  }

  /** How it fails by itself, if it does; what was before it is forgotten. */
  async fails(input: C): Promise<unknown> {
    this.#crashes.first = undefined
    const rest = restOf(this.target)
    try {
      await this.one(input)
      const held = await settled(this.target, rest, SETTLE_ALONE_MS)
      if (held !== undefined) throw held
      // What comes a little later is its too.
      if (this.#crashes.first !== undefined) throw this.#crashes.first
      return undefined
    } catch (error) {
      return error
    }
  }
}

/** An error that names the case, as small as it could be made, and how to run it again. */
async function found<C>(runner: Runner<C>, failed: Failed, make: (index: number) => C, seed: number): Promise<Error> {
  const began = performance.now()
  for (const index of failed.cases) {
    if (performance.now() - began > SHRINK_MS) break
    const error = await runner.fails(make(index))
    if (error === undefined) continue
    return smallest(
      runner,
      make(index),
      error,
      `case ${index} of seed ${seed} (BULKHEAD_SEED=${seed} BULKHEAD_CASE=${index})`,
    )
  }
  const { name, print } = runner.target
  const cases = failed.cases.slice(0, 8).map((index) => `  case ${index}: ${print(make(index))}`)
  return new Error(
    `${name}: one of the cases ${Math.min(...failed.cases)} to ${Math.max(...failed.cases)} of seed ${seed}, though none of them alone (BULKHEAD_SEED=${seed}): ${text(failed.error)}\n${cases.join('\n')}`,
  )
}

async function alone<C>(runner: Runner<C>, input: C, called: string): Promise<1> {
  const error = await runner.fails(input)
  if (error === undefined) return 1
  throw await smallest(runner, input, error, called)
}

async function smallest<C>(runner: Runner<C>, input: C, failure: unknown, called: string): Promise<Error> {
  const { target } = runner
  const began = performance.now()
  let best = input
  let error = failure
  for (let better = true; better; ) {
    better = false
    for (const candidate of target.smaller(best)) {
      if (performance.now() - began > SHRINK_MS) break
      const again = await runner.fails(candidate)
      if (again === undefined) continue
      best = candidate
      error = again
      better = true
      break
    }
  }
  return new Error(
    `${target.name}: ${called}: ${text(error)}\n  smallest: ${target.print(best)}\n  as made:  ${target.print(input)}`,
  )
}

/** What Node opens once and keeps (for threads, stderr, random bytes) is not any case's. A leak is soon more than that. */
const withOpenedOnce = (rest: Readonly<Record<string, number>>) => ({
  ...rest,
  [FILES]: (rest[FILES] ?? 0) + OPENED_ONCE,
})

const restOf = <C>({ held }: Target<C>) => ({ ...openHandles(), ...held?.() })

/** Waits until nothing is held that was not before; what still is when the time is over is an error. */
async function settled<C>(
  target: Target<C>,
  rest: Readonly<Record<string, number>>,
  withinMs: number,
): Promise<Error | undefined> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const more = grown(rest, restOf(target))
    if (more.length === 0) return undefined
    if (Date.now() > deadline) return new Error(`it holds on to what it opened: ${more.join('; ')}`)
    await delay(5)
  }
}

const text = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
