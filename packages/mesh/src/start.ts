import { judgeAt, nextHop } from '@bulkhead/verdict'
import { createCapture } from './capture/index.js'
import { Mesh } from './mesh.js'
import type { MeshOptions } from './types.js'

/** The data plane as it runs: the engine judges, and pods' processes are captured by the preload. */
export function startMesh(options: MeshOptions): Promise<Mesh> {
  const { runDir, log } = options
  return Mesh.start(options, {
    judgeAt,
    nextHop,
    makeCapture: (dialer) => createCapture({ runDir, dialer, ...(log !== undefined && { log }) }),
  })
}
