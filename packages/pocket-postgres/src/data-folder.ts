import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Binaries, majorVersion } from './binaries.js'
import { messageOf, PostgresError, systemCode } from './errors.js'
import { giveTo, type Privileges } from './privileges.js'
import { spawnTied } from './tied.js'

export interface Owner {
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Who may connect, and how: with a password, always. There is no way in but the unix socket. */
const accessRules = '# TYPE  DATABASE  USER  METHOD\nlocal   all       all   scram-sha-256\n'

/** More than any system's highest process number. */
const nobodysPid = '4194305'

/** The longest name that PostgreSQL keeps whole, in bytes. */
const longestName = 63

/**
 * Whether the folder holds data. One that is empty, or is not there, does not.
 *
 * @throws PostgresError `data-folder`, `version`
 */
export function holdsData(folder: string): boolean {
  const entries = tryTo(folder, () => {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
    return entriesOf(folder)
  })
  if (entries.length === 0) return false
  const version = entries.includes('PG_VERSION')
    ? tryTo(folder, () => readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim())
    : undefined
  if (version === majorVersion) return true
  if (version === undefined) {
    throw new PostgresError(
      'data-folder',
      `"${folder}" is no data folder of PostgreSQL: it has no PG_VERSION, and holds other things (${JSON.stringify(entries[0])}). Empty it, or name another.`,
    )
  }
  throw new PostgresError(
    'version',
    `"${folder}" holds data of PostgreSQL ${version}, and this is PostgreSQL ${majorVersion}, which cannot read it. Dump it with the old version, or empty it, or name another folder.`,
  )
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function tryTo<T>(folder: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new PostgresError(
      'data-folder',
      `the data folder "${folder}" cannot be used (${systemCode(error) || messageOf(error)}). Make it readable and writable for the user that runs this, or empty it, or name another.`,
      { cause: error },
    )
  }
}

/**
 * Makes a data folder with one role, which may do everything, and one database. All of it is made beside, and renamed
 * when it is whole and on disk, so that one that was cut short is never taken for data.
 *
 * @throws PostgresError `bad-option`, `failed`, `data-folder`
 */
export async function initialise(
  folder: string,
  owner: Owner,
  { initdb, postgres }: Binaries,
  privileges: Privileges,
): Promise<void> {
  checkOwner(owner)
  const draft = join(dirname(folder), `.${basename(folder)}.initdb`)
  tryTo(folder, () => {
    rmSync(draft, { recursive: true, force: true })
    mkdirSync(draft, { mode: 0o700 })
    giveTo(privileges, draft)
  })
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  // Trust is for the moments until the rules are written; nothing listens meanwhile.
  const flags = ['--auth=trust', '--no-instructions', '--wal-segsize=4', '--no-sync', ...locale]
  await run(initdb, ['-D', draft, '-U', owner.user, ...flags], '', privileges)
  tryTo(folder, () => writeFileSync(join(draft, 'pg_hba.conf'), accessRules))
  // By way of its input: a password among the arguments, or in a file, could be read by others.
  const statements = [
    `ALTER ROLE ${identifier(owner.user)} PASSWORD ${literal(owner.password)}`,
    ...(owner.database === 'postgres' ? [] : [`CREATE DATABASE ${identifier(owner.database)}`]),
  ]
  const single = ['--single', '-D', draft, '-c', 'log_min_error_statement=panic', '-c', 'exit_on_error=on']
  await run(postgres, [...single, 'postgres'], `${statements.join('\n')}\n`, privileges)
  await run(initdb, ['-D', draft, '--sync-only'], '', privileges)
  tryTo(folder, () => {
    renameSync(draft, folder)
    const parent = openSync(dirname(folder), 'r')
    fsyncSync(parent)
    closeSync(parent)
  })
}

function checkOwner({ user, password, database }: Owner): void {
  for (const [what, name] of [
    ['user', user],
    ['database', database],
  ] as const) {
    if (name === '' || Buffer.byteLength(name) > longestName || /[\0\r\n]/.test(name)) {
      throw new PostgresError(
        'bad-option',
        `the name of the ${what} is ${JSON.stringify(name)}; it has to have 1 to ${longestName} bytes, on one line.`,
      )
    }
  }
  if (user.startsWith('pg_')) {
    throw new PostgresError('bad-option', `the user is ${JSON.stringify(user)}; names with "pg_" are PostgreSQL's own.`)
  }
  if (password === '' || password.includes('\0')) {
    throw new PostgresError(
      'bad-option',
      'the password is empty, or has a zero byte in it; give one (POSTGRES_PASSWORD).',
    )
  }
}

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string =>
  `E'${text.replace(/['\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`

async function run(program: string, args: readonly string[], input: string, privileges: Privileges): Promise<void> {
  const { prefix, ids } = privileges
  const [command = program, ...rest] = [...prefix, program, ...args]
  const child = spawnTied(
    command,
    rest,
    { stdio: ['pipe', 'pipe', 'pipe'], env: environment(), cwd: '/', ...ids },
    { signal: 'TERM' },
  )
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      words = `${words}${chunk}`.slice(-2000)
    })
  }
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  const [code, signal] = (await once(child, 'close').catch((error: unknown) => {
    throw doesNotRun(program, error)
  })) as [number | null, string | null]
  if (code === 0) return
  throw new PostgresError(
    'failed',
    `${basename(program)} ended (${signal ?? `exit code ${code}`}): ${words.trim() || 'it said nothing'}`,
  )
}

/** A program that is there and cannot be started was made for another system. */
export function doesNotRun(program: string, cause: unknown): PostgresError {
  return new PostgresError(
    'no-platform',
    `${program} cannot be run here (${systemCode(cause) || messageOf(cause)}). It is made for glibc on Linux (not for Alpine's musl) and for macOS; use a PostgreSQL of your own instead (DATABASE_URL).`,
    { cause },
  )
}

/** Nothing of the user's: no PGOPTIONS, no locale that is not there. */
export function environment(): Record<string, string> {
  return { LC_ALL: 'C', TZ: 'UTC', PATH: process.env.PATH ?? '/usr/bin:/bin' }
}

/** The folder of its socket, when a server runs on the data or ran there and was killed. */
export interface Former {
  readonly pid: number
  readonly socketFolder: string
  readonly ready: boolean
}

export function readPidFile(folder: string): Former | undefined {
  let lines: readonly string[]
  try {
    lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
  return { pid, socketFolder: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' }
}

/**
 * A server that was killed leaves its process number behind, and when that is another program's by now, PostgreSQL takes
 * it for a server that runs. The rest of the file stays, since by it PostgreSQL knows whether old backends still run.
 */
export function disownPid(folder: string): void {
  const former = readPidFile(folder)
  if (former === undefined || commandOf(former.pid).includes(`-D ${folder}`)) return
  const file = join(folder, 'postmaster.pid')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, nobodysPid))
}

function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return ''
  }
}
