import type { ProgressEvent } from '@bulkhead/local-cluster'
import { type Io, note, printable } from '../io.js'
import { admissionLines } from './event-text.js'
import { outsideWords } from './status-text.js'

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
    case 'admission': {
      // What it only warns of was so before, and `admit` tells it.
      const lines = admissionLines({ ...event, warnings: [] })
      return lines.length === 0 ? undefined : printable(lines.join('\n'))
    }
    case 'mesh':
      return 'the mesh is up, with a certificate authority for its nodes'
    case 'outside':
      return outsideWords(event.hosts)
    case 'pods':
      // That all are ready is the first line of the result.
      return event.ready === 0 && event.of > 0 ? `starting ${event.of} pods` : undefined
    case 'note':
      return event.text
  }
}
