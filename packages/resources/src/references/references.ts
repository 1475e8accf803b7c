import type { Diagnostic, Resource } from '../types.js'

export function checkReferences(_resources: readonly Resource[]): Diagnostic[] {
  return []
}
