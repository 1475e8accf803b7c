import type { CST } from 'yaml'

/**
 * The offset at which a token is nested deeper than `limit`, or `undefined`. Walks with a stack of its own, because
 * what is to be found out is whether a recursive walk would be safe.
 */
export function tooDeep(token: CST.Token, limit: number): number | undefined {
  const stack: { token: CST.Token; depth: number }[] = [{ token, depth: 0 }]
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { token: current, depth } = top
    if (depth > limit) return current.offset
    if (current.type === 'document') {
      if (current.value !== undefined) stack.push({ token: current.value, depth })
    } else if ('items' in current) {
      for (const item of current.items) {
        if (item.key) stack.push({ token: item.key, depth: depth + 1 })
        if (item.value) stack.push({ token: item.value, depth: depth + 1 })
      }
    }
  }
  return undefined
}
