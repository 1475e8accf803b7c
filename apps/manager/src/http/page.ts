import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { OBJECT_ID } from './ids.js'

/** A whole number in a query: digits, and nothing else that JavaScript would take for a number (`''`, `0x10`, `1e1`). */
export const wholeNumber = (min: number, max: number) =>
  z.preprocess(
    (text) => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text),
    z.int({ error: 'must be a whole number, in digits' }).min(min).max(max),
  )

/** The query of every list: how many, and after which. */
export const pageQuery = {
  limit: wholeNumber(1, 200).default(50),
  cursor: z.string().regex(OBJECT_ID, 'must be the nextCursor of an answer').optional(),
} as const

/** Of the answer of every list; absent on the last page. */
export const nextCursor = z.string().optional()

export interface PageQuery {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** The filter that a cursor stands for: lists are in order of `_id`, which is the order in which things were made. */
export const afterCursor = ({ cursor }: PageQuery): { _id?: { $gt: ObjectId } } =>
  cursor === undefined ? {} : { _id: { $gt: new ObjectId(cursor) } }

/** A page of what was found; ask for `limit + 1`, so that it is known whether there is more. */
export function pageOf<T extends { readonly _id: ObjectId }>(
  found: readonly T[],
  { limit }: PageQuery,
): { readonly items: readonly T[]; readonly next: { readonly nextCursor?: string } } {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: found.length > limit && last !== undefined ? { nextCursor: last._id.toHexString() } : {} }
}
