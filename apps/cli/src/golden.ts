import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
/** The repository: its own k8s/ is what many outputs are about. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * For tests: holds an output to the file that shows it. `BULKHEAD_UPDATE=1` writes the file instead, and the diff is
 * reviewed.
 */
export function matchesGolden(actual: string, name: string): void {
  const file = path.join(fixtures, name)
  if (process.env.BULKHEAD_UPDATE === '1') {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, actual)
    return
  }
  assert.ok(existsSync(file), `there is no ${name} yet: BULKHEAD_UPDATE=1 writes it`)
  assert.equal(actual, readFileSync(file, 'utf8'), `${name} shows another output: BULKHEAD_UPDATE=1 rewrites it`)
}
