import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type Binaries, findBinaries } from './binaries.js'
import { disownPid, doesNotRun, environment, holdsData, initialise, type Owner, readPidFile } from './data-folder.js'
import { PostgresError } from './errors.js'
import { findPrivileges, giveTo, type Privileges } from './privileges.js'
import { spawnTied } from './tied.js'

export interface PostgresOptions extends Owner {
  /** Made, with the role and the database, when it is empty or not there; else used as it is. */
  readonly dataDir: string
  /** Called for each line that PostgreSQL writes. Default: nobody reads them. */
  readonly log?: (line: string) => void
  /** `-c` settings for this run, after our own: `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** How it ended: an exit code, or the signal that killed it. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A PostgreSQL that runs, and answers on a unix socket that only this user can reach. */
export interface Postgres {
  /** The socket itself. */
  readonly socketPath: string
  /** What libpq and `pg` take as the host, to find the socket by the port 5432. */
  readonly host: string
  readonly pid: number
  /** The data folder was made by this start. */
  readonly fresh: boolean
  /** Resolves when it has ended, asked or not. */
  readonly ended: Promise<Exit>
  /** Ends it as `pg_ctl stop -m fast` does: sessions are told, what is committed is on disk. Asked again, it waits too. */
  stop(): Promise<Exit>
}

const port = 5432
const socketPrefix = 'bh-pg-'
const socketName = `.s.PGSQL.${port}`
/** An old server's backends notice that it is gone within this. */
const patienceMs = 3000
const lookMs = 10

/** Small: it is one of many processes on a laptop. Parallel workers would outlive a server that is killed. */
const small: Readonly<Record<string, string>> = {
  shared_buffers: '32MB',
  max_connections: '100',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  wal_level: 'minimal',
  max_wal_size: '256MB',
  io_method: 'sync',
  // A session whose client has gone ends in the middle of its query too.
  client_connection_check_interval: '500ms',
}

/**
 * Starts PostgreSQL on its data; resolves when it answers. It does not outlive this process, however that ends.
 *
 * @throws PostgresError
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataDir } = options
  const binaries = findBinaries()
  const fresh = !holdsData(dataDir)
  const folders = [dirname(dataDir), ...(fresh ? [] : [dataDir]), socketRoot()]
  const privileges = findPrivileges(binaries.postgres, folders)
  if (fresh) await initialise(dataDir, options, binaries, privileges)
  giveTo(privileges, dataDir)
  const deadline = Date.now() + patienceMs
  await makeWay(dataDir, deadline)
  const host = mkdtempSync(join(socketRoot(), socketPrefix))
  chmodSync(host, 0o700)
  giveTo(privileges, host)
  try {
    for (; ; await delay(100)) {
      const started = await attempt(options, binaries, privileges, host)
      if ('child' in started) return running(started.child, host, fresh)
      if (Date.now() < deadline && /is still in use|postmaster\.pid" already exists/.test(started.words)) continue
      throw failed(dataDir, started.words)
    }
  } catch (error) {
    rmSync(host, { recursive: true, force: true })
    throw error
  }
}

/** One start: a server that answers, or what it said instead. */
async function attempt(
  { dataDir, log = () => undefined, settings }: PostgresOptions,
  { postgres }: Binaries,
  { prefix, ids }: Privileges,
  host: string,
): Promise<{ readonly child: ChildProcess } | { readonly words: string }> {
  const given = {
    ...small,
    ...settings,
    listen_addresses: '',
    // A list; the quotes keep a comma in a folder's name.
    unix_socket_directories: `"${host.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    port: String(port),
  }
  const flags = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [command = postgres, ...args] = [...prefix, postgres, '-D', dataDir, ...flags]
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawnTied(
    command,
    args,
    { stdio: [...stdio], env: environment(), cwd: '/', ...ids },
    { signal: 'QUIT', folder: host },
  )
  let words: string[] | undefined = []
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      words?.push(line)
      log(line)
    })
  }
  const closed = once(child, 'close').then(
    () => ({ words: (words ?? []).slice(-20).join('\n') }),
    (error: unknown) => {
      throw doesNotRun(postgres, error)
    },
  )
  const over = new AbortController()
  try {
    const first = await Promise.race([closed, answers(dataDir, child, over.signal)])
    words = undefined
    return first ?? { child }
  } finally {
    over.abort()
    closed.catch(() => undefined)
  }
}

/** Resolves when the server has written that it is ready. */
async function answers(dataDir: string, child: ChildProcess, signal: AbortSignal): Promise<undefined> {
  while (!signal.aborted) {
    const found = readPidFile(dataDir)
    if (found?.pid === child.pid && found?.ready === true) return
    await delay(lookMs)
  }
}

function running(child: ChildProcess, host: string, fresh: boolean): Postgres {
  const ended = new Promise<Exit>((resolve) => {
    const over = (code: number | null, signal: string | null) => {
      rmSync(host, { recursive: true, force: true })
      resolve({ code, signal })
    }
    if (child.exitCode !== null || child.signalCode !== null) over(child.exitCode, child.signalCode)
    else child.once('close', over)
  })
  return {
    socketPath: join(host, socketName),
    host,
    pid: child.pid ?? 0,
    fresh,
    ended,
    stop() {
      child.kill('SIGINT')
      return ended
    },
  }
}

/** Clears away what a server that was killed has left, and waits for one that is just ending. */
async function makeWay(dataDir: string, deadline: number): Promise<void> {
  disownPid(dataDir)
  const former = readPidFile(dataDir)
  if (former === undefined) return
  const { socketFolder } = former
  if (dirname(socketFolder) !== socketRoot() || !/^bh-pg-[A-Za-z0-9]{6}$/.test(basename(socketFolder))) return
  while (isAlive(former.pid) && Date.now() < deadline) await delay(lookMs)
  if (!isAlive(former.pid)) rmSync(socketFolder, { recursive: true, force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A unix socket's whole path may have 104 bytes on macOS, with its closing zero, and a temporary folder can be deep. */
function socketRoot(): string {
  const longest = 103 - `/${socketPrefix}XXXXXX/${socketName}`.length
  return Buffer.byteLength(tmpdir()) <= longest ? tmpdir() : '/tmp'
}

function failed(dataDir: string, words: string): PostgresError {
  if (/already exists|is still in use/.test(words)) {
    return new PostgresError('data-folder', `another PostgreSQL runs on "${dataDir}"; end it, or name another folder.`)
  }
  return new PostgresError('failed', `PostgreSQL did not start on "${dataDir}": ${words || 'it said nothing'}`)
}
