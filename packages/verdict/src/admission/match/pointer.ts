import type { FieldPath } from '@bulkhead/resources'

/** `/spec/containers/0/image`: a JSON pointer without escapes, as people read it. */
export function pointer(path: FieldPath): string {
  return path.map((key) => `/${key}`).join('')
}
