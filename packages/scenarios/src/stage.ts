import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { admissionView, refusedBy } from './admission.js'
import type { Admitted, Change, NotMakeableError, Scenario, Target } from './types.js'

/** Takes back what was changed. */
export type Undo = () => Promise<void>

/** What became of a change. */
export interface Staged {
  readonly undo: Undo
  /** What admission would say of its objects, asked before each part of it. */
  readonly predicted: readonly Admitted[]
  /** What it said, when it refused the change: then nothing of it stands. */
  readonly refused?: readonly Admitted[]
}

/** A change stands that could not be taken back: whatever comes after would be judged by the wrong policies. */
export class StillStanding extends Error {
  override readonly name = 'StillStanding'
}

/**
 * Puts a scenario's change in force. What was applied before a failure, or a refusal, is taken back; once it stands, the caller
 * takes it back.
 * @throws StillStanding, also from `undo`, when that fails
 */
export async function applyChange(
  target: Target,
  name: string,
  change: Scenario['given'],
  root: string,
): Promise<Staged> {
  const parts = change === undefined ? [] : await readChange(change, root)
  const applied: string[] = []
  const predicted: Admitted[] = []
  const undo = async (): Promise<void> => {
    const problems: string[] = []
    for (const partName of applied.splice(0).reverse()) {
      try {
        await target.withdraw(partName)
      } catch (error) {
        problems.push(`the change "${partName}" could not be taken back: ${asMessage(error)}`)
      }
    }
    if (problems.length > 0) throw new StillStanding(problems.join('; '))
  }
  try {
    for (const [index, part] of parts.entries()) {
      const partName = index === 0 ? name : `${name}.${index}`
      predicted.push(...(await target.admit(part)))
      await target.apply(partName, part)
      applied.push(partName)
    }
  } catch (error) {
    await undo()
    const refused = refusedBy(error)
    if (refused === undefined) throw error
    return { undo, predicted, refused }
  }
  return { undo, predicted }
}

/** Whether admission would refuse a change before any part of it is in force. It only adds objects; nothing is changed. */
export async function wouldBeRefused(target: Target, change: Scenario['given'], root: string): Promise<boolean> {
  if (change === undefined || change.without !== undefined) return false
  const [first] = await readChange(change, root)
  return first !== undefined && admissionView(await target.admit(first)) !== undefined
}

const pods = new Set(['Pod', 'Deployment', 'ServiceAccount'])

/** Whether a change brings pods and their accounts alone, and takes nothing out. */
export async function addsOnlyPods(change: NonNullable<Scenario['given']>, root: string): Promise<boolean> {
  if (change.without !== undefined) return false
  const [parts, { parseManifests }] = await Promise.all([readChange(change, root), import('@bulkhead/resources')])
  const brought = parts.flatMap(({ objects = '', file = '' }) => parseManifests(objects, file).resources)
  return brought.length > 0 && brought.every(({ kind }) => pods.has(kind))
}

/** One change for each manifest file, so that positions stay true; the first takes out what must go. */
async function readChange(
  { manifests = [], without }: NonNullable<Scenario['given']>,
  root: string,
): Promise<readonly Change[]> {
  const changes: Change[] = []
  for (const file of manifests) changes.push({ objects: await readFile(join(root, file), 'utf8'), file })
  if (without === undefined) return changes
  const [first = {}, ...rest] = changes
  return [{ ...first, without }, ...rest]
}

export function asMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Whether a target says that it has no way to make an attempt. */
export function isNotMakeable(error: unknown): error is NotMakeableError {
  return error instanceof Error && 'code' in error && error.code === 'not-makeable'
}
