import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** CPU time that this process may take without coming back to its event loop. */
const BLOCKED_MS = 20_000
/** From here on it is told, in case that it ends otherwise: out of memory, say. */
const LONG_MS = 4_000

/*
 * Runs as a thread of its own. The other one's beats stop both when it hangs and when the machine has no time for it:
 * only the first takes CPU time.
 */
const guard = `
const { parentPort, workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const now = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
let beats = -1
let since = now()
let told = false
setInterval(() => {
  const seen = Atomics.load(workerData.shared, 0)
  if (seen !== beats) { beats = seen; since = now(); told = false; return }
  const blocked = now() - since
  if (!told && blocked > ${LONG_MS}) writeSync(2, workerData.says.replace('%', String(Atomics.load(workerData.shared, 1))) + '\\n')
  told = blocked > ${LONG_MS}
  if (blocked > ${BLOCKED_MS}) process.kill(process.pid, 'SIGKILL')
}, 500)
parentPort.postMessage('up')
`

/** Ends this process, with words on stderr, when a case does not give the event loop back: no timer could tell of that. */
export async function watchdog(says: string): Promise<{ started(index: number): void; end(): Promise<void> }> {
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(guard, { eval: true, workerData: { shared, says }, execArgv: [] })
  const beat = setInterval(() => Atomics.add(shared, 0, 1), 100)
  // What a thread opens for itself is opened then, and not counted as a case's.
  await once(worker, 'message')
  worker.unref()
  return {
    started: (index) => void Atomics.store(shared, 1, index),
    async end() {
      clearInterval(beat)
      await worker.terminate()
    },
  }
}
