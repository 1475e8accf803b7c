import type { Snapshot } from '@bulkhead/verdict'
import type { Diffed } from './cluster-types.js'
import type { Engine } from './engine.js'
import { messageOf } from './errors.js'

/** What a change opened and closed is told beside it: that it cannot be worked out takes nothing out of force. */
export function diffed(engine: Engine, before: Snapshot, after: Snapshot): Diffed {
  try {
    return { diff: engine.diff(before, after) }
  } catch (error) {
    return { undiffed: messageOf(error) }
  }
}
