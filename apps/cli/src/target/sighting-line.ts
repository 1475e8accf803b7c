import type { Sighting } from '@bulkhead/scenarios'
import { quoted } from './flow-line.js'

/** A cluster's sighting as one line in the manner of flow records: who says it, of which connection, and as much of why as it says. */
export function sightingLine({ at, by, outcome, source, destination, http, code, policy }: Sighting): string {
  const { ip, port } = destination
  const fields: readonly (readonly [string, string | number | undefined])[] = [
    ['by', by],
    ['src.addr', source.ip],
    ['src.workload', source.workload],
    ['src.identity', source.identity],
    ['dst.addr', ip === undefined ? undefined : `${ip}${port === undefined ? '' : `:${port}`}`],
    ['dst.port', ip === undefined ? port : undefined],
    ['dst.service', destination.service],
    ['dst.host', destination.host],
    ['dst.workload', destination.workload],
    ['http.request', http && `${http.method} ${http.path}`],
    ['http.status', http?.status],
    ['code', code],
    ['policy', policy],
  ]
  const text = fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]))
  return `${at} ${outcome} ${text.join(' ')}`
}
