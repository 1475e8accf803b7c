import { spawnSync } from 'node:child_process'
import { lchownSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PostgresError } from './errors.js'

/** By convention the user that owns nothing. No user is made for us. */
const nobody = 65534
/** Any number but 0: inside a user namespace of its own. */
const inNamespace = 1000

/** How PostgreSQL is started so that it does not run as root, which it refuses to. */
export interface Privileges {
  /** Stands before the program. */
  readonly prefix: readonly string[]
  readonly ids?: { readonly uid: number; readonly gid: number }
  /** Who its files have to belong to. Absent: they are left as they are made. */
  readonly owner?: number
}

const dropped = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups']
const withCapability = ['setpriv', ...dropped, '--inh-caps', '+dac_override', '--ambient-caps', '+dac_override', '--']
const namespaced = ['unshare', '-U', `--map-user=${inNamespace}`, `--map-group=${inNamespace}`, '--']

/** A way that is tried on the program itself. */
interface Way {
  readonly privileges: Privileges
  works(program: string): boolean
}

const way = (prefix: readonly string[], owner: number): Way => ({
  privileges: { prefix, owner },
  works(program) {
    const [command = '', ...args] = [...prefix, program, '--version']
    return process.platform === 'linux' && spawnSync(command, args, { stdio: 'ignore' }).status === 0
  },
})

/** For root on Linux, where all of it lies under a folder that only its owner can enter, a home for one. */
export const ways: readonly Way[] = [
  // Another user, who may go where root may.
  way(withCapability, nobody),
  // Root outside, somebody else inside.
  way(namespaced, 0),
]

/**
 * The first way to run `program` that works: as who we are; as nobody, where nobody can reach program and `folders`; as
 * nobody with one capability; in a user namespace.
 *
 * @throws PostgresError `root`
 */
export function findPrivileges(
  program: string,
  folders: readonly string[],
  uid = process.getuid?.(),
  others = ways,
): Privileges {
  if (uid !== 0) return { prefix: [] }
  const barred = [program, ...folders].map(notEnterable).find((found) => found !== undefined)
  if (barred === undefined) return { prefix: [], ids: { uid: nobody, gid: nobody }, owner: nobody }
  const other = others.find(({ works }) => works(program))
  if (other !== undefined) return other.privileges
  throw new PostgresError(
    'root',
    `PostgreSQL does not run as root, and another user cannot be taken: "${barred}" can be entered by its owner alone${
      process.platform === 'linux' ? ', and neither setpriv nor unshare works here' : ''
    }. Run this as an ordinary user, or let others pass through that folder (chmod o+x).`,
  )
}

/** The first folder above it, or itself, that others cannot pass through. */
function notEnterable(path: string): string | undefined {
  const parent = dirname(path)
  const above = parent === path ? undefined : notEnterable(parent)
  if (above !== undefined) return above
  const found = statSync(path, { throwIfNoEntry: false })
  // Its own folders are given to it before it starts.
  if (found === undefined || found.uid === nobody) return undefined
  return (found.mode & 0o001) === 0 ? path : undefined
}

/** Gives a folder, and what is in it, to the one that PostgreSQL runs as. */
export function giveTo({ owner }: Privileges, folder: string): void {
  if (owner === undefined || lstatSync(folder).uid === owner) return
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(folder, entry), owner, owner)
  }
  // Last: were it cut short, it would be done again.
  lchownSync(folder, owner, owner)
}
