import type { FlowRecord, Step } from '@bulkhead/verdict'
import { isolating, sentence, symptomSentence } from '@bulkhead/verdict/words'
import { printable } from '../io.js'

/** A flow record as one line in the manner of ztunnel's access log, then the verdict and what decided it. */
export function flowLine(record: FlowRecord): string {
  const { source, destination, http } = record
  const fields: readonly (readonly [string, string | number | undefined])[] = [
    ['src.addr', source.ip],
    ['src.workload', source.workload],
    ['src.identity', source.identity],
    ['dst.addr', destination.ip === undefined ? undefined : `${destination.ip}:${destination.port}`],
    ['dst.service', destination.service],
    ['dst.host', outsideName(destination)],
    ['dst.workload', destination.workload],
    // TCP is what is not said.
    ['protocol', record.protocol === 'TCP' ? undefined : record.protocol],
    ['transport', record.transport],
    ['sni', record.sni],
    ['http.request', http && `${http.method} ${http.host}${http.path}`],
    ['http.status', http?.status],
    ['http.route', http?.route],
    ['http.upstream', http?.upstream],
    ['bytes_sent', record.bytesSent],
    ['bytes_recv', record.bytesReceived],
    ['duration', `${Math.round(record.durationMs)}ms`],
    ['flag', record.flag],
    ['error', record.error],
    ['run', record.run],
  ]
  const text = fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]))
  return `${record.start} ${verdictWord(record)} ${text.join(' ')}${decided(record)}`
}

/** A name that is not told by the pod or the Service that it led to. */
function outsideName({ host, ip, workload, service }: FlowRecord['destination']): string | undefined {
  return ip === undefined || (workload === undefined && service === undefined && host !== ip) ? host : undefined
}

/** A field's value, in quotes where it would not end otherwise. */
export const quoted = (value: string | number): string =>
  /[\s"=\p{Cc}\p{Bidi_Control}]/u.test(String(value)) ? printable(JSON.stringify(String(value))) : String(value)

/** A pod chooses the names that it asks for: they must not look like lines of ours. */
const oneLine = (text: string): string => printable(text).replaceAll('\n', '\\n')

function verdictWord(record: FlowRecord): string {
  if (record.outcome !== 'allow') return record.outcome
  return record.symptom === 'ok' ? 'allow' : 'fail'
}

/** ` decided=AuthorizationPolicy/shop/x at=50-identity/x.yaml:3 code=...` */
function decided(record: FlowRecord): string {
  const step = decidingStep(record)
  if (step === undefined) return ''
  const places = placesOf(step)
  return ` code=${step.code}${places.length === 0 ? '' : ` policy=${quoted(places.join(', '))}`}`
}

function decidingStep(record: FlowRecord): Step | undefined {
  return record.decidedBy === undefined ? undefined : record.steps[record.decidedBy]
}

/** The policies behind a step, each with its place: the one that decided, or for a default deny all that isolate. */
function placesOf(step: Step): readonly string[] {
  if (step.policy !== undefined) return [`${step.policy}${step.at === undefined ? '' : ` at ${step.at}`}`]
  return (step.isolatedBy ?? []).map(({ policy, at }) => `${policy} at ${at}`)
}

/** Where a record's connection went, as its client named it. */
function destinationOf({ destination }: FlowRecord): string {
  return `${destination.service ?? destination.workload ?? destination.host ?? destination.ip ?? 'nowhere'}:${destination.port}`
}

/**
 * What a failed connection would have shown on a cluster, and below it why: the reason, and each policy behind it with
 * its place. Undefined for one that did not fail.
 */
export function failureText(record: FlowRecord): string | undefined {
  if (record.outcome === 'allow' && record.symptom === 'ok') return undefined
  const who = oneLine(`${record.source.workload ?? record.source.ip} -> ${destinationOf(record)}`)
  const head = `${who} failed. On a cluster its client sees ${symptomSentence(record.symptom)}.`
  const step = decidingStep(record)
  if (step === undefined) return `${head}\n  ${oneLine(record.error ?? record.flag)}`
  // A default deny is of no layer; the policies that isolate are.
  const layers = step.layer ?? isolating(step)
  const layer = layers === '' ? '' : `${layers.includes(' ') ? 'layers' : 'layer'} ${layers}: `
  return [head, `  ${layer}${oneLine(sentence(step))}`, ...placesOf(step).map((place) => `  ${place}`)].join('\n')
}
