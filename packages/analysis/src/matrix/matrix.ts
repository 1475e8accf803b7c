import type { Snapshot } from '@bulkhead/verdict'
import { boardOf, isOwn, questionKey } from './board.js'
import type { Cell, Matrix } from './types.js'

/**
 * Who may call whom: every workload and the outside, against every port of every Service and of the pods themselves,
 * and against the requests that the gateways' routes take. Each cell is the engine's own word on that flow.
 */
export function matrix(snapshot: Snapshot): Matrix {
  const { sources, destinations, ask } = boardOf(snapshot)
  const cells: Cell[] = []
  for (const from of sources) {
    for (const destination of destinations) {
      if (isOwn(from, destination)) continue
      cells.push({
        from,
        to: destination.name,
        key: questionKey(from, destination),
        ...ask(from, destination),
      })
    }
  }
  return { sources, destinations: destinations.map(({ name }) => name), cells }
}
