import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Change, Scenario, Target } from './types.js'

/** Takes back what was changed. */
export type Undo = () => Promise<void>

/** A change stands that could not be taken back: whatever comes after would be judged by the wrong policies. */
export class StillStanding extends Error {
  override readonly name = 'StillStanding'
}

/**
 * Puts a scenario's change in force. What was applied before a failure is taken back; once it stands, the caller takes
 * it back.
 * @throws StillStanding, also from what it returns, when that fails
 */
export async function applyChange(
  target: Target,
  name: string,
  change: Scenario['given'],
  root: string,
): Promise<Undo> {
  const changes = change === undefined ? [] : await readChange(change, root)
  const applied: string[] = []
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
    for (const [index, part] of changes.entries()) {
      const partName = index === 0 ? name : `${name}.${index}`
      await target.apply(partName, part)
      applied.push(partName)
    }
  } catch (error) {
    await undo()
    throw error
  }
  return undo
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
