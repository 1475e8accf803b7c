import type { Answer } from '../answer/answer.js'

/** What one worker brings back. */
export interface CallResult {
  readonly answer: Answer
  readonly failed: boolean
}

/** A call that can be given up. */
export interface StartedCall {
  readonly result: Promise<CallResult>
  abort(): void
}

/**
 * Calls all targets with so many workers, in order, and collects the answers as they come. After the first failure no
 * further target is called, and the calls still under way are given up, unreported (as in the original, which forgot
 * to end them).
 */
export async function callAll<T>(
  targets: readonly T[],
  workers: number,
  start: (target: T) => StartedCall,
  onStart: (call: StartedCall) => void,
): Promise<{ answers: Answer[]; failed: boolean }> {
  const answers: Answer[] = []
  const running = new Set<StartedCall>()
  let next = 0
  let failed = false

  async function work(): Promise<void> {
    while (!failed && next < targets.length) {
      const call = start(targets[next++] as T)
      running.add(call)
      onStart(call)
      const result = await call.result
      running.delete(call)
      if (failed) return
      answers.push(result.answer)
      if (result.failed) {
        failed = true
        for (const other of running) other.abort()
      }
    }
  }

  // One worker is the rule, and needs no Promise.all.
  if (workers === 1 || targets.length === 1) await work()
  else await Promise.all(Array.from({ length: Math.min(workers, targets.length) }, work))
  return { answers, failed }
}
