import { nodeAt, parseYaml } from '@bulkhead/resources/yaml'
import { z } from 'zod'
import { readCall } from './call.js'

const objectId = z.string().regex(/^[A-Z][A-Za-z]+\/[a-z0-9.-]+(\/[a-z0-9.-]+)?$/, 'write Kind/namespace/name')
const refusal = z.string().transform((text, context) => {
  const [id = '', policy = '', ...rest] = text.split(' by ')
  if (rest.length === 0 && objectId.safeParse(id).success && objectId.safeParse(policy).success) return { id, policy }
  context.addIssue({
    code: 'custom',
    message: `${JSON.stringify(text)} is no refusal; write Kind/namespace/name by Kind/name`,
  })
  return z.NEVER
})
const call = z.string().transform((text, context) => {
  const read = readCall(text)
  if (typeof read !== 'string') return read
  context.addIssue({ code: 'custom', message: read })
  return z.NEVER
})

/** `<!-- lab ... -->`, before the page's title. */
export const headSchema = z.strictObject({
  minutes: z.number().int().min(1).max(240),
  needs: z.array(z.string()).default([]),
  start: z
    .strictObject({ 'layers-off': z.array(z.string()).default([]), without: z.array(objectId).default([]) })
    .default({ 'layers-off': [], without: [] }),
})

/** `<!-- check ... -->`, in a step. */
export const checkSchema = z.strictObject({
  'in-force': z.array(objectId).default([]),
  refused: z.array(refusal).default([]),
  tried: z.array(call).default([]),
  now: z.array(call).default([]),
})

/**
 * The YAML of a comment, held against a schema; what is wrong is told with its line in the page.
 * @param line of the comment's first line of YAML, from 1
 */
export function readYaml<T>(
  schema: z.ZodType<T>,
  text: string,
  line: number,
  fail: (line: number, message: string) => void,
): T | undefined {
  const { documents, problems, place } = parseYaml(text)
  const lineOf = (offset: number) => line + place(offset).line - 1
  for (const { offset, message } of problems) fail(lineOf(offset), message)
  if (problems.length > 0) return undefined
  const [document] = documents
  const parsed = schema.safeParse(document?.value ?? {})
  if (parsed.success) return parsed.data
  for (const { path, message } of parsed.error.issues) {
    const keys = path.filter((key) => typeof key !== 'symbol')
    const offset = document === undefined ? 0 : nodeAt(document.positions, keys).offset
    fail(lineOf(offset), `${keys.length === 0 ? '' : `${keys.join('.')}: `}${message}`)
  }
  return undefined
}
