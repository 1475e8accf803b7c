import type { ProgressEvent } from '@bulkhead/local-cluster'
import { type Io, note } from '../io.js'

/** Says on stderr what a start is doing: each step once. */
export function progressTo(io: Io): (event: ProgressEvent) => void {
  return (event) => {
    const line = progressLine(event)
    if (line !== undefined) note(io, line)
  }
}

export function progressLine(event: ProgressEvent): string | undefined {
  switch (event.kind) {
    case 'leftovers':
      return `ended ${event.processes} processes that an earlier run left behind`
    case 'manifests': {
      const warnings = event.warnings.map(({ at, message }) => `\n  warning: ${at.file}:${at.line}: ${message}`)
      return `read ${event.objects} objects: ${event.pods} pods to start${warnings.join('')}`
    }
    case 'mesh':
      return 'the mesh is up: two nodes, a certificate authority'
    case 'pods':
      if (event.of === 0 || (event.ready !== event.of && event.ready !== 0)) return undefined
      return event.ready === event.of ? `all ${event.of} pods are ready` : `starting ${event.of} pods`
  }
}
