import type { FlowRecord } from '@bulkhead/verdict'

/** A request at a gateway, as a proxy's access log has it: when, who, what, the answer, why, and where it was sent. */
export function accessLine(record: FlowRecord): string {
  const { start, source, http, symptom, durationMs, outcome, decidedBy, steps, error } = record
  const status = http?.status ?? 0
  const sent = http?.upstream === undefined ? '-' : http.upstream
  const route = http?.route === undefined ? '-' : http.route
  const code = decidedBy === undefined ? undefined : steps[decidedBy]?.code
  const why = outcome === 'allow' && symptom === 'ok' ? '-' : [symptom, code, error].filter(Boolean).join('; ')
  const asked = [http?.method, http?.host, http?.path].map((part) => JSON.stringify(part ?? '').slice(1, -1))
  return `${start} ${source.ip} "${asked[0]} ${asked[1]}${asked[2]}" ${status} ${Math.round(durationMs)}ms route=${route} upstream=${sent} ${why === '-' ? why : JSON.stringify(why)}`
}
