import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What stands in the file: who has the folder. A number alone may be another program's by now, so its start is with it. */
interface Owner {
  readonly pid: number
  readonly started: string
  /** Tells two holders within one process apart. */
  readonly token: string
}

/**
 * Takes a folder for this process, so that no two write to one log. What a killed process left behind is taken over.
 *
 * @returns what gives it back
 * @throws Error when another that runs has it
 */
export function takeFolder(folder: string): () => void {
  const lock = join(folder, 'owner')
  const me: Owner = { pid: process.pid, started: startOf(process.pid) ?? '', token: randomUUID() }
  const text = JSON.stringify(me)
  const mine = join(folder, `owner.${me.token}`)
  writeFileSync(mine, text, { mode: 0o600 })
  try {
    while (!linked(mine, lock)) clear(lock, folder, me.token)
  } finally {
    rmSync(mine, { force: true })
  }
  return () => {
    if (contentOf(lock) === text) rmSync(lock, { force: true })
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Takes a dead owner's file away. @throws when he lives */
function clear(lock: string, folder: string, token: string): void {
  const text = contentOf(lock)
  if (text === undefined) return
  const owner = ownerIn(text)
  if (owner !== undefined && startOf(owner.pid) === owner.started) {
    throw new Error(
      `the folder "${folder}" is in use: process ${owner.pid}${owner.pid === process.pid ? ' (this one)' : ''} has it. Stop that one, or name another folder.`,
    )
  }
  // Renamed before it is removed: between the look and the act, another may have taken the folder.
  const aside = `${lock}.${token}.dead`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (contentOf(aside) !== text) linked(aside, lock)
  rmSync(aside, { force: true })
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function ownerIn(text: string): Owner | undefined {
  try {
    const { pid, started, token } = JSON.parse(text) as Partial<Owner>
    return Number.isSafeInteger(pid) && typeof started === 'string' && typeof token === 'string'
      ? { pid: pid as number, started, token }
      : undefined
  } catch {
    return undefined
  }
}

/** When a process began, in words of the system; undefined: it does not run (any more). */
function startOf(pid: number): string | undefined {
  const stat = contentOf(`/proc/${pid}/stat`)
  if (stat !== undefined) {
    // The program's name is in parentheses, and may have any in it; the state is the first after it, the start the 20th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  }
  if (process.platform === 'linux') return undefined
  try {
    const [state = '', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ')
  } catch {
    return undefined
  }
}
