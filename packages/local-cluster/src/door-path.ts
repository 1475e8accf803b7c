import { type Flow, outsideAddress, type Snapshot } from '@bulkhead/verdict'
import type { PublishedPort } from './cluster-types.js'
import type { Engine } from './engine.js'

/** What somebody who knocks would ask for first. */
const usual = ['/', '/health']

/** The door with a path that its policies let the outside ask for; as it is where that is `/`, or none of the usual ones. */
export function withPath(door: PublishedPort, snapshot: Snapshot, judge: Engine['judge']): PublishedPort {
  const host = door.hosts[0]?.replace(/^\*(?=\.|$)/, 'www')
  if (host === undefined) return door
  const open = usual.find((path) => {
    const http = { method: 'GET', path, host }
    const flow: Flow = { from: { external: outsideAddress }, to: { service: door.service }, port: door.port, http }
    return judge(flow, snapshot).outcome === 'allow'
  })
  return open === undefined || open === '/' ? door : { ...door, path: open }
}
