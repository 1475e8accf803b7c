import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { ClusterError, messageOf, systemCode } from './errors.js'
import { alive, killLeftovers, type ProcessId, processStamp } from './processes.js'
import { makeRunDir, removeRunDir } from './run-dir.js'

export { alive } from './processes.js'

/** What `control.json` holds: who runs on this state folder, and how to reach it. Readable by its owner only. */
export interface ControlFile extends ProcessId {
  /** Absent while the target is starting. */
  readonly url?: string
  readonly token?: string
  /** Of the policies in force when the file was written. */
  readonly generation: number
  /** RFC 3339, UTC. */
  readonly started: string
  /** The sockets' folder. */
  readonly runDir: string
}

const controlPath = (stateDir: string): string => join(stateDir, 'control.json')
const podsPath = (stateDir: string): string => join(stateDir, 'pods')
/** What the nodes' hosts have that pods mount: `<node>/proc`. */
export const nodesPath = (stateDir: string): string => join(stateDir, 'nodes')
const processesPath = (stateDir: string): string => join(stateDir, 'processes.json')

/** Who runs on the folder now; `stale` when that process is gone, or its number is another process's. */
export function readControl(stateDir: string): { readonly control: ControlFile; readonly stale: boolean } | undefined {
  let control: ControlFile
  try {
    control = JSON.parse(readFileSync(controlPath(stateDir), 'utf8')) as ControlFile
  } catch (error) {
    if (systemCode(error) === 'EACCES') {
      throw new ClusterError('state-dir', `${controlPath(stateDir)} cannot be read: it belongs to another user.`)
    }
    return undefined
  }
  if (typeof control?.pid !== 'number' || typeof control.stamp !== 'string') return undefined
  return { control, stale: !alive(control) }
}

/** What a supervisor holds of its state folder while it runs. */
export interface Claim {
  readonly stateDir: string
  readonly runDir: string
  readonly processesFile: string
  /** How many processes of a dead supervisor were ended. */
  readonly leftovers: number
  /** Writes the file anew, whole or not at all. */
  publish(fields: { readonly url?: string; readonly token?: string; readonly generation: number }): void
  release(): void
}

/**
 * Takes the state folder for this process, and clears away what a dead supervisor left (its processes, its sockets).
 *
 * @throws ClusterError `already-up` when a living one holds it, `state-dir` when it cannot be written.
 */
export function claim(stateDir: string): Claim {
  prepare(stateDir)
  const stamp = processStamp(process.pid)
  if (stamp === undefined)
    throw new ClusterError('state-dir', 'this process cannot read its own start time; neither /proc nor ps answers.')
  const path = controlPath(stateDir)
  let leftovers = 0
  const base = { pid: process.pid, stamp, started: new Date().toISOString() }
  let runDir: string | undefined
  try {
    runDir = makeRunDir({ pid: process.pid, stamp })
    const draft = `${path}.${process.pid}`
    try {
      writeFileSync(draft, JSON.stringify({ ...base, generation: 0, runDir }), { mode: 0o600 })
      // A link to a name that exists fails, so of two that start at once one gets it.
      while (!tryLink(draft, path)) leftovers += clearStale(stateDir)
    } finally {
      rmSync(draft, { force: true })
    }
    leftovers += killLeftovers(processesPath(stateDir))
  } catch (error) {
    if (runDir !== undefined) rmSync(runDir, { recursive: true, force: true })
    if (error instanceof ClusterError) throw error
    throw new ClusterError(
      'state-dir',
      `the state folder "${stateDir}" cannot be used (${systemCode(error) || messageOf(error)}). Name another with --state DIR.`,
    )
  }
  const sockets = runDir
  // Of pods that ended with their supervisor; what is in them (a Secret's values, for one) must not outlive them.
  rmSync(podsPath(stateDir), { recursive: true, force: true })
  rmSync(nodesPath(stateDir), { recursive: true, force: true })
  // Whatever way this process ends that leaves it a last word (a second Ctrl-C, an error), it takes all of it along.
  const atExit = () => {
    killLeftovers(processesPath(stateDir))
    release()
  }
  const release = () => {
    process.off('exit', atExit)
    rmSync(sockets, { recursive: true, force: true })
    rmSync(podsPath(stateDir), { recursive: true, force: true })
    rmSync(nodesPath(stateDir), { recursive: true, force: true })
    rmSync(processesPath(stateDir), { force: true })
    rmSync(path, { force: true })
  }
  process.once('exit', atExit)
  return {
    stateDir,
    runDir: sockets,
    processesFile: processesPath(stateDir),
    leftovers,
    publish(fields) {
      const next = `${path}.${process.pid}`
      const control = { ...base, ...fields, runDir: sockets } satisfies ControlFile
      try {
        writeFileSync(next, `${JSON.stringify(control, null, 2)}\n`, { mode: 0o600 })
        renameSync(next, path)
      } catch (error) {
        rmSync(next, { force: true })
        throw error
      }
    },
    release,
  }
}

/**
 * All that a state folder holds, with what `bulkhead cluster` keeps beside a target on this machine; what begins with a dot is an
 * editor's, or the system's.
 */
const ours =
  /^(\..*|control\.json.*|processes\.json|supervisor\.log|data|logs|nodes|overlay|pods|secrets|kind|npm-cache|bulkhead-bundle\.tar.*)$/

/**
 * Makes the state folder, and looks whether a target can start on it. Parts of it are emptied now and then, so a folder
 * with other things in it is not taken for one.
 *
 * @throws ClusterError as `claim`.
 */
export function prepare(stateDir: string): void {
  let strange: string | undefined
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK)
    strange = readdirSync(stateDir).find((name) => !ours.test(name))
  } catch (error) {
    const code = systemCode(error)
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? `cannot be made (${code}): there is a file in its place. Remove it, or name`
        : `cannot be written (${code || messageOf(error)}). Make it writable, or name`
    throw new ClusterError('state-dir', `the state folder "${stateDir}" ${why} another with --state DIR.`)
  }
  if (strange !== undefined) {
    throw new ClusterError(
      'state-dir',
      `"${stateDir}" cannot be the state folder: it holds other things (${JSON.stringify(strange)}). Name a new or an empty one with --state DIR.`,
    )
  }
  const found = readControl(stateDir)
  if (found !== undefined && !found.stale) throw alreadyUp(stateDir, found.control)
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Takes a dead supervisor's file away, with what it left. Returns how many processes were ended.
 *
 * @throws ClusterError `already-up` when it is not dead.
 */
export function clearStale(stateDir: string): number {
  const found = readControl(stateDir)
  if (found !== undefined && !found.stale) throw alreadyUp(stateDir, found.control)
  // Renamed before it is removed: what is removed is what was looked at, even when another `up` was quicker.
  const aside = `${controlPath(stateDir)}.stale.${process.pid}`
  try {
    renameSync(controlPath(stateDir), aside)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
  if (found !== undefined && !readFileSync(aside, 'utf8').includes(found.control.stamp)) {
    tryLink(aside, controlPath(stateDir))
    rmSync(aside, { force: true })
    return 0
  }
  rmSync(aside, { force: true })
  removeRunDir(found?.control.runDir)
  return killLeftovers(processesPath(stateDir))
}

function alreadyUp(stateDir: string, { pid, url }: ControlFile): ClusterError {
  const where = url === undefined ? 'it is still starting' : `it answers at ${url}`
  return new ClusterError(
    'already-up',
    `a target is already up on ${stateDir} (process ${pid}; ${where}). Use it, end it with \`npx bulkhead down --state ${JSON.stringify(stateDir)}\`, or start another with --state DIR.`,
  )
}

/** Forgets what earlier runs left in the folder: pods' files, logs, and layers switched off. */
export function forget(stateDir: string): void {
  for (const folder of ['pods', 'data', 'logs', 'overlay', 'secrets'])
    rmSync(join(stateDir, folder), { recursive: true, force: true })
}
