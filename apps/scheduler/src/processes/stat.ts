export interface Stat {
  readonly ppid: number
  /** Ticks since the boot, as the kernel writes them: a number that is used again belongs to another one. */
  readonly startTime: string
}

/**
 * Reads `/proc/<pid>/stat`. The second field is the command in parentheses and may hold anything, blanks, newlines and parentheses too:
 * what follows begins behind the last one (D6). Undefined: it is no such line.
 */
export function readStat(text: string): Stat | undefined {
  const end = text.lastIndexOf(')')
  if (end === -1 || !/^\d+ \(/.test(text)) return undefined
  // Behind the command: state, parent, and the start as the 22nd field of all.
  const fields = text
    .slice(end + 1)
    .trim()
    .split(/\s+/)
  const ppid = Number(fields[1])
  if (!Number.isSafeInteger(ppid) || ppid < 0) return undefined
  return { ppid, startTime: fields[19] ?? '' }
}
