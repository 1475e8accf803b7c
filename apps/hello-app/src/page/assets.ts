import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A file that the page refers to, under a name that changes with its content, so that it may be kept for ever. */
export interface Asset {
  readonly path: string
  readonly type: string
  readonly body: string
}

function asset(file: string, type: string): Asset {
  const body = readFileSync(new URL(`../../assets/${file}`, import.meta.url), 'utf8')
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  return { path: `/assets/${file.replace('.', `.${hash}.`)}`, type, body }
}

/** Read once, at start: a missing file is a start that fails, not a page that looks odd. */
export function readAssets(): { readonly styles: Asset; readonly icon: Asset } {
  return { styles: asset('page.css', 'text/css; charset=utf-8'), icon: asset('icon.svg', 'image/svg+xml') }
}
