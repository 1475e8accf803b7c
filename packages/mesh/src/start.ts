import { judgeAt, nextHop, servedAt } from '@bulkhead/verdict'
import { createCapture } from './capture/index.js'
import { Mesh } from './mesh.js'
import type { MeshOptions } from './types.js'

/**
 * Starts the data plane: the CA, the agent that pods' processes ask, and no pods yet. Throws when `runDir` cannot be
 * made private or is too long for sockets.
 */
export function startMesh(options: MeshOptions): Promise<Mesh> {
  const { runDir, log } = options
  return Mesh.start(options, {
    judgeAt,
    nextHop,
    servedAt,
    makeCapture: (dialer) => createCapture({ runDir, dialer, ...(log !== undefined && { log }) }),
  })
}
