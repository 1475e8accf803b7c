import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Place } from './place.js'

/** What we keep of the cluster (`cluster.json`, 0600): which one it is, and how far it has come. No secret is in it. */
export interface ClusterRecord {
  /** UID of its namespace kube-system: no other cluster has it. Missing while it is being made. */
  readonly uid?: string
  /** ID of the control plane's container: by it the cluster is known when its API server does not answer. */
  readonly container?: string
  /** `kind create` was begun, and has not ended: what there is of a cluster without a UID is ours only then. */
  readonly making?: boolean
  /** `kind delete` was begun: the cluster was found to be ours before, and what there is of it may answer to nothing any more. */
  readonly deleting?: boolean
  /** When it was begun, ISO 8601. */
  readonly begun: string
  /** Whether there was a docker network of kind's before: that one is not ours to remove. */
  readonly networkWasThere: boolean
  /** The steps that were done, each with what it was made of. */
  readonly steps: Readonly<Record<string, { readonly at: string; readonly fingerprint: string }>>
  /** By the names of our images: the ID of that which its pods were last started with. */
  readonly images?: Readonly<Record<string, string>>
  /** Secrets whose values were made, and nobody has been told what they have to know. */
  readonly untold: readonly string[]
}

/** The record cannot be used: its message says what to do. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
}

/** @throws RecordError when there is one that cannot be read */
export function readRecord({ record }: Pick<Place, 'record'>): ClusterRecord | undefined {
  let text: string
  try {
    text = readFileSync(record, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw unreadable(record, error instanceof Error ? error.message : String(error))
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // Told below.
  }
  throw unreadable(record, 'it is not what `cluster up` writes')
}

function isRecord(value: unknown): value is ClusterRecord {
  if (typeof value !== 'object' || value === null) return false
  const { uid, container, begun, networkWasThere, steps, untold } = value as Partial<
    Record<keyof ClusterRecord, unknown>
  >
  const wellUid = [uid, container].every((one) => one === undefined || (typeof one === 'string' && one !== ''))
  const wellSteps = typeof steps === 'object' && steps !== null && !Array.isArray(steps)
  return (
    wellUid && wellSteps && typeof begun === 'string' && typeof networkWasThere === 'boolean' && Array.isArray(untold)
  )
}

const unreadable = (file: string, why: string): RecordError =>
  new RecordError(
    `which cluster is ours stands in "${file}", and it cannot be read (${why}). Put the file right. If you are sure that the cluster bulkhead is yours to lose: \`kind delete cluster --name bulkhead\`, delete the file, and begin again.`,
  )

/** Whole or not at all. */
export function writeRecord({ record }: Pick<Place, 'record'>, value: ClusterRecord): void {
  mkdirSync(dirname(record), { recursive: true, mode: 0o700 })
  const draft = `${record}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, record)
}

/** All that is kept of a cluster, when it is gone; the log too. */
export function forgetCluster({ folder }: Pick<Place, 'folder'>): void {
  rmSync(folder, { recursive: true, force: true })
}
