import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from '../../place.js'
import { messageOf, TargetError } from '../errors.js'
import { isRecord, listAt } from '../live/plain.js'
import type { LiveObject } from '../live/raw.js'
import { labelOf } from './objects.js'

/** What is needed to take a change back, written before anything of it is done. It may hold values of Secrets (0600). */
export interface ChangeRecord {
  readonly name: string
  /** Whose run it is. */
  readonly pid: number
  /** On which cluster: UID of its namespace kube-system. */
  readonly cluster: string
  /** What it brings that was not there, in the order in which it is sent. */
  readonly brought: readonly Pick<LiveObject, 'apiVersion' | 'kind' | 'metadata'>[]
  /** What it puts others in the place of, as it was. */
  readonly replaced: readonly LiveObject[]
  /** What it takes out, as it was. */
  readonly taken: readonly LiveObject[]
}

const folderOf = ({ folder }: Place): string => join(folder, 'changes')
export const fileOf = (place: Place, name: string): string => join(folderOf(place), `${labelOf(name)}.json`)

export function keep(place: Place, record: ChangeRecord): void {
  const file = fileOf(place, record.name)
  const draft = `${file}.${process.pid}`
  try {
    mkdirSync(folderOf(place), { recursive: true, mode: 0o700 })
    writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw new TargetError(
      'bad-change',
      `what is needed to take the change "${record.name}" back cannot be kept in "${file}": ${messageOf(error)}`,
    )
  }
}

export const forget = (place: Place, name: string): void => rmSync(fileOf(place, name), { force: true })

export function kept(place: Place, name: string): ChangeRecord | undefined {
  return readRecord(fileOf(place, name))
}

/**
 * Changes whose run is over and that nobody has taken back; and those of runs that go on. What was on a cluster that is gone went with
 * it: put back, it would be what another cluster has never had.
 */
export function leftovers(
  place: Place,
  cluster: string | undefined,
): {
  readonly left: readonly ChangeRecord[]
  readonly others: readonly ChangeRecord[]
} {
  const folder = folderOf(place)
  const names = unlessGone(folder, () => readdirSync(folder)) ?? []
  const all = names.filter((name) => name.endsWith('.json')).flatMap((name) => readRecord(join(folder, name)) ?? [])
  for (const { name } of all.filter((one) => one.cluster !== cluster)) forget(place, name)
  const records = all.filter((one) => one.cluster === cluster && one.pid !== process.pid)
  return { left: records.filter(({ pid }) => !runs(pid)), others: records.filter(({ pid }) => runs(pid)) }
}

function runs(pid: number): boolean {
  // Of these a signal would go to many, and be heard by oneself.
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process has the number: it runs.
    return isRecord(error) && error.code === 'EPERM'
  }
}

function readRecord(file: string): ChangeRecord | undefined {
  const text = unlessGone(file, () => readFileSync(file, 'utf8'))
  if (text === undefined) return undefined
  const value = jsonOf(text)
  const { name, pid, cluster } = value
  if (typeof name !== 'string' || typeof pid !== 'number' || typeof cluster !== 'string') throw unreadable(file)
  return {
    ...{ name, pid, cluster },
    brought: listAt(value, 'brought') as LiveObject[],
    replaced: listAt(value, 'replaced') as LiveObject[],
    taken: listAt(value, 'taken') as LiveObject[],
  }
}

/** What is not there keeps nothing; what is there and cannot be read may be something to take back. */
function unlessGone<T>(file: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isRecord(error) && error.code === 'ENOENT') return undefined
    throw unreadable(file, ` (${messageOf(error)})`)
  }
}

/** Of what is no object there are no fields. */
function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function unreadable(file: string, why = ''): TargetError {
  return new TargetError(
    'bad-change',
    `"${file}" says what a change has to be taken back to, and cannot be read${why}. Look at what has the label bulkhead.dev/change (\`kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead get -A -l bulkhead.dev/change pods,serviceaccounts,networkpolicies\`), put k8s/ back by \`npx bulkhead cluster up\`, and remove the file.`,
  )
}
