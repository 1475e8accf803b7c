import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Ends a process, whatever it is doing, and resolves when it is over: nothing is written by it any more. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const over = once(child, 'exit')
  child.kill('SIGKILL')
  await over
}
