import { refusalsOf } from './admission/entries.js'
import { withFailedCreate } from './admission/workloads.js'
import type { Parts } from './assemble.js'
import { restartTimes } from './backoff.js'
import type { ClusterStatus } from './cluster-types.js'
import { withPath } from './door-path.js'
import { withLogin } from './logins.js'

/** What is up, as it is now. */
export function statusOf(parts: Parts, started: string, connectTimeoutMs: number): ClusterStatus {
  const { options, engine, mesh, outside, pods, enforcement, ports, saves } = parts
  const { snapshot, held } = enforcement
  return {
    target: 'local',
    pid: process.pid,
    generation: mesh.generation,
    started,
    stateDir: options.stateDir,
    nodes: snapshot.nodes,
    layers: enforcement.layers(),
    changes: enforcement.changes,
    ...(saves.refused !== undefined && { refused: saves.refused }),
    notAdmitted: refusalsOf(held),
    published: ports
      .list()
      .map((door) => withPath(door, snapshot, engine.judge))
      .map((door) => withLogin(door, snapshot.resources, options.stateDir)),
    outside: outside.hosts,
    workloads: withFailedCreate(pods.workloads(), enforcement.plans.values()),
    notModelled: [...snapshot.notModelled, ...(held.policies?.notModelled ?? [])],
    shortened: [
      `a dropped packet is given up after ${connectTimeoutMs / 1000} s here (10 s on a cluster)`,
      restartTimes.says,
    ],
  }
}
