/**
 * Cuts a stream of text into lines. A line longer than `limit` characters calls `overflow` once, and nothing after it
 * is read: the sender is not one of ours.
 */
export function lineReader(limit: number, line: (text: string) => void, overflow: () => void): (chunk: string) => void {
  let rest = ''
  let over = false
  return (chunk) => {
    if (over) return
    let from = 0
    for (;;) {
      const end = chunk.indexOf('\n', from)
      if (end === -1) break
      const text = rest + chunk.slice(from, end)
      rest = ''
      from = end + 1
      if (text.length > limit) {
        over = true
        return overflow()
      }
      line(text)
    }
    rest += from === 0 ? chunk : chunk.slice(from)
    if (rest.length > limit) {
      over = true
      overflow()
    }
  }
}

/** Longest line on the agent's socket: the largest datagram (65,507 bytes) in base64, with room for its address. */
export const MAX_LINE = 96 * 1024
