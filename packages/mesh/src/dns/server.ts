import type { Payload } from '@bulkhead/verdict'
import { type Question, RCODE, type ResponseCode, readQuestion, writeAnswer, writeFailure } from './message.js'

/** A datagram at kube-dns's port 53. */
export interface Asked {
  /** What a wall reads of it. */
  readonly payload: Extract<Payload, { kind: 'dns' | 'other' }>
  readonly question?: Question
  /** Of a message that is not a question we could read: how its sender is answered. */
  readonly malformed?: { readonly id: number; readonly code: ResponseCode }
}

export function readDatagram(data: Uint8Array): Asked {
  const read = readQuestion(data)
  if (read === undefined) return { payload: { kind: 'other' } }
  if (read.kind === 'malformed') return { payload: { kind: 'other' }, malformed: { id: read.id, code: read.code } }
  return { payload: { kind: 'dns', query: read.question.name }, question: read.question }
}

/** The datagram that goes back; empty for what was no question at all. */
export function answerTo(
  { question, malformed }: Asked,
  answer:
    | { readonly kind: 'answered'; readonly addresses: readonly string[] }
    | { readonly kind: 'refused' | 'unknown' },
): Buffer {
  if (question === undefined) return malformed ? writeFailure(malformed.id, malformed.code) : Buffer.alloc(0)
  if (answer.kind === 'answered') return writeAnswer(question, RCODE.ok, answer.addresses)
  return writeAnswer(question, answer.kind === 'refused' ? RCODE.refused : RCODE.noName)
}
