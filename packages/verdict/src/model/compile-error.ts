import type { Resource } from '@bulkhead/resources'
import { at } from './kinds.js'

/** A manifest that the API server would refuse, found while compiling. The message names file:line. */
export class CompileError extends Error {
  override readonly name = 'CompileError'
  readonly code = 'manifest.invalid'
  readonly at: string

  constructor(resource: Resource, path: readonly (string | number)[], what: string) {
    const place = at(resource, path)
    super(`${place}: ${resource.id}: ${what}`)
    this.at = place
  }
}
