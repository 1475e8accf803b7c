import type { RunOptions, Tools } from '../tools.js'
import { inspectOutside, outsideLog, readInspected } from './container.js'

/** The host outside of the cluster, as it is now. */
export interface Outside {
  /** Docker gives it one at each start. */
  readonly address: string
  /** Of its certificates, PEM: it makes them at each start. */
  readonly root: string
}

/** Whether the host outside of the cluster is there; `foreign` is somebody else's container of that name. */
export type OutsideState = 'up' | 'down' | 'foreign'

export async function outsideState(tools: Tools, options: RunOptions = {}): Promise<OutsideState> {
  const { container } = readInspected(await tools.run(inspectOutside, options))
  if (container?.ours === false) return 'foreign'
  return container?.running === true && container.address !== undefined ? 'up' : 'down'
}

/** Asked anew each time. @returns undefined where there is none of ours that runs */
export async function findOutside(tools: Tools, options: RunOptions = {}): Promise<Outside | undefined> {
  const { container } = readInspected(await tools.run(inspectOutside, options))
  if (container?.ours !== true || !container.running || container.address === undefined) return undefined
  const { stdout } = await tools.run(outsideLog, options)
  const root = rootIn(stdout)
  return root === undefined ? undefined : { address: container.address, root }
}

/** The line that the program says when it listens. */
function rootIn(log: string): string | undefined {
  const line = log.trimEnd().split('\n').at(-1) ?? ''
  try {
    const told: unknown = JSON.parse(line)
    const root = typeof told === 'object' && told !== null && 'root' in told ? told.root : undefined
    return typeof root === 'string' && root.startsWith('-----BEGIN CERTIFICATE-----') ? root : undefined
  } catch {
    return undefined
  }
}
