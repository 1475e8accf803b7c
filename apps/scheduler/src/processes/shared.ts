import type { NodeProcesses, ProcessSource } from './source.js'

/** How long what was read is good for others, in ms: the scheduler asks every five seconds, people now and then. */
export const CACHE_MS = 500

/** One scan for all who ask while it runs, and for a moment after. */
export function shared(scan: () => Promise<NodeProcesses>, now: () => number = () => performance.now()): ProcessSource {
  let running: Promise<NodeProcesses> | undefined
  let last: { readonly processes: NodeProcesses; readonly until: number } | undefined
  return {
    read() {
      if (running !== undefined) return running
      if (last !== undefined && now() < last.until) return Promise.resolve(last.processes)
      running = scan()
        .then((processes) => {
          last = { processes, until: now() + CACHE_MS }
          return processes
        })
        .finally(() => {
          running = undefined
        })
      return running
    },
  }
}
