import type { Place } from '../place.js'
import { type ClusterRecord, readRecord } from '../record.js'

/** What is kept of the cluster; undefined where there is nothing, or where it cannot be read, which another check tells. */
export function recorded(place: Place): ClusterRecord | undefined {
  try {
    return readRecord(place)
  } catch {
    return undefined
  }
}
