import type { Snapshot } from '../api.js'
import { FlowError, type FlowErrorCode, quote } from '../flow/errors.js'
import { judge } from '../flow/judge.js'
import { readFlow } from '../flow/read.js'
import type { Verdict } from '../types.js'
import { verdictJson } from './json.js'

export interface BatchOptions {
  /** Leaves out what depends on the other objects of the set, so that expected output can be kept in a file. */
  readonly stable?: boolean
}

/** One line of output without its newline, and whether it is an error. */
export interface BatchLine {
  readonly json: string
  readonly failed: boolean
}

/** The lines of output, made as they are taken. `failed` is true once a line was bad. */
export interface VerdictBatch extends Iterable<string> {
  readonly failed: boolean
}

/**
 * Judges flows, one JSON object per line, in order: one verdict per line out. A bad line gives an error in its place,
 * `{"id"|null,"line":n,"error":{"code","message"}}`, and the rest goes on. Blank lines are passed over.
 */
export function verdictBatch(lines: Iterable<string>, snapshot: Snapshot, options: BatchOptions = {}): VerdictBatch {
  let failed = false
  return {
    get failed() {
      return failed
    },
    *[Symbol.iterator]() {
      let number = 0
      for (const line of lines) {
        number++
        if (line.trim() === '') continue
        const result = verdictLine(line, number, snapshot, options)
        failed ||= result.failed
        yield result.json
      }
    },
  }
}

/** The same for a single line; `number` counts from 1. For callers that read a stream. */
export function verdictLine(line: string, number: number, snapshot: Snapshot, options: BatchOptions = {}): BatchLine {
  let id: string | null = null
  try {
    const value = parse(line)
    if (typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string') id = value.id
    const verdict: Verdict = judge(readFlow(value), snapshot)
    return { json: verdictJson(verdict, snapshot, options.stable === true), failed: false }
  } catch (error) {
    if (!(error instanceof FlowError)) throw error
    const { code, message } = error
    return { json: JSON.stringify({ id, line: number, error: { code, message } }), failed: true }
  }
}

function parse(line: string): unknown {
  try {
    // Trimmed of a byte order mark too.
    return JSON.parse(line.trim())
  } catch {
    const code: FlowErrorCode = 'flow.invalid-json'
    throw new FlowError(code, `the line is no JSON: ${quote(line)}`)
  }
}
