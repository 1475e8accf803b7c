import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FlowRecord } from '@bulkhead/verdict'

/** Records and lines of this much before and after what is traced. */
const AROUND_MS = 1_000
const MOST_RECORDS = 5_000
const MOST_LINES = 80
/** Of what looks alike, one is enough. */
const MOST_TRACED = 2

/** From when to when something was under way, in milliseconds of the wall clock. */
export interface Span {
  readonly started: number
  readonly ended: number
}

/** What there is to tell of a request that should have been answered: the connections of that time, and what the pods logged. */
export class Trace {
  readonly #logs: string
  readonly #records: FlowRecord[] = []

  /** @param logs the folder of the pods' logs */
  constructor(cluster: { onFlow(listener: (record: FlowRecord) => void): unknown }, logs: string) {
    this.#logs = logs
    cluster.onFlow((record) => {
      // What is denied is meant to fail.
      if (record.outcome !== 'allow') return
      this.#records.push(record)
      if (this.#records.length > MOST_RECORDS) this.#records.shift()
    })
  }

  /** For the message of an assertion. */
  of(spans: readonly Span[]): string {
    return spans
      .slice(0, MOST_TRACED)
      .map((span) => [JSON.stringify(span), ...this.#flows(span), ...this.#lines(span)].join('\n  '))
      .join('\n')
  }

  #flows({ started, ended }: Span): readonly string[] {
    return this.#records.flatMap(({ start, durationMs, ...record }) => {
      const from = Date.parse(start)
      const until = from + durationMs
      if (until < started - AROUND_MS || from > ended + AROUND_MS) return []
      // Those that failed, those that took as long as what is traced, and those that ended with it.
      const likely = record.symptom !== 'ok' || durationMs >= (ended - started) / 2
      if (!likely && Math.abs(until - ended) > AROUND_MS / 10) return []
      const { source, destination, transport, symptom, flag, error = '', bytesSent, bytesReceived } = record
      const ends = `${source.pod ?? source.ip} -> ${destination.pod ?? destination.service}:${destination.port}`
      return `${start} +${Math.round(durationMs)} ms ${ends} ${transport} ${symptom} ${flag} ${bytesSent}/${bytesReceived} bytes ${error}`
    })
  }

  #lines({ started, ended }: Span): readonly string[] {
    const found: (readonly [number, string])[] = []
    for (const entry of readdirSync(this.#logs, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      for (const line of readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n')) {
        const time = timeOf(line)
        if (time >= started - AROUND_MS && time <= ended + AROUND_MS) found.push([time, `${entry.name}: ${line}`])
      }
    }
    const near = ([a]: readonly [number, string], [b]: readonly [number, string]) =>
      Math.abs(a - ended) - Math.abs(b - ended)
    const kept = found.sort(near).slice(0, MOST_LINES)
    return kept.sort(([a], [b]) => a - b).map(([, text]) => text)
  }
}

/** Of a service's line, as text or as JSON, or of a note that was made beside it. */
function timeOf(line: string): number {
  const [, text, json] = /^(?:--- )?(\d{4}-\S+) |"time":"?([^",}]+)/.exec(line) ?? []
  const told = text ?? json ?? ''
  return /^\d+$/.test(told) ? Number(told) : Date.parse(told)
}
