import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose_gc')
const collect: () => void = runInNewContext('gc')

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Bytes that live: V8's heap, and the buffers outside of it. Collects first, in turns, since what is closed is freed in steps. */
export async function liveBytes(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    collect()
    await turn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** What this process holds open, by kind: file descriptors, and whatever would keep the event loop going. */
export function openHandles(): Record<string, number> {
  const held: Record<string, number> = { 'file descriptors': readdirSync('/dev/fd').length }
  for (const kind of process.getActiveResourcesInfo()) held[kind] = (held[kind] ?? 0) + 1
  return held
}

/** Kinds of which there are more than there were. */
export function grown(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): string[] {
  return Object.entries(now).flatMap(([kind, count]) => {
    const was = before[kind] ?? 0
    return count > was ? [`${kind}: ${was} before, ${count} now`] : []
  })
}
