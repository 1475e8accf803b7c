import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file that a page refers to, under a name that changes with its content, so that it may be kept for ever. */
export interface Asset {
  readonly path: string
  readonly type: string
  readonly body: string
}

/**
 * Reads a file once, at start: a missing one is a start that fails, not a page that looks odd.
 * @param edit what is changed in it before it is served
 */
export function readAsset(file: URL, type: string, edit = (text: string): string => text): Asset {
  const body = edit(readFileSync(file, 'utf8'))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  return { path: `/assets/${basename(fileURLToPath(file)).replace('.', `.${hash}.`)}`, type, body }
}
