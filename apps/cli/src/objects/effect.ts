import type { PolicyDiff } from '@bulkhead/analysis'
import type { ControlClient } from '@bulkhead/control'
import type { Snapshot } from '@bulkhead/verdict'
import { mostGroups } from '../target/event-text.js'

type InForce = Awaited<ReturnType<ControlClient['objects']>>

/**
 * Makes changes of a running target, and tells what all of them together opened and closed. Undefined when nothing was
 * changed.
 */
export async function withEffect(
  target: Pick<ControlClient, 'objects'>,
  change: () => Promise<boolean>,
): Promise<PolicyDiff | undefined> {
  const before = await target.objects()
  if (!(await change())) return undefined
  const { diffSnapshots } = await import('@bulkhead/analysis')
  const old = await snapshotOf(before)
  return diffSnapshots(old, await snapshotOf(await target.objects(), old))
}

/** As the target has compiled them; places are those of whole objects. */
async function snapshotOf(objects: InForce, previous?: Snapshot): Promise<Snapshot> {
  const { compile } = await import('@bulkhead/verdict')
  const { resourceTold } = await import('@bulkhead/control')
  const resources = objects.map(resourceTold)
  return compile(resources, previous === undefined ? {} : { previous })
}

/**
 * How much moved, and who may call whom now or not any more; why is `explain`'s to say. A flow that is only decided
 * elsewhere is told with both places: where one of two walls goes, nothing opens, and that one is missing.
 */
export async function effectText(diff: PolicyDiff): Promise<string> {
  const { renderDiff } = await import('@bulkhead/analysis')
  const { opened, closed, decidedElsewhere } = diff
  const flows = (count: number) => (count === 1 ? '1 flow' : `${count} flows`)
  const elsewhere = decidedElsewhere.length === 0 ? '' : `; ${flows(decidedElsewhere.length)} decided elsewhere`
  const headline =
    opened.length + closed.length === 0
      ? `nothing opened, nothing closed${elsewhere}`
      : `${flows(opened.length)} opened, ${closed.length} closed${elsewhere}`
  const moved: string[] = []
  for (const line of renderDiff(diff, { most: mostGroups }).trimEnd().split('\n').slice(1)) {
    const sign = moved.findLast((told) => /^[+~-]/.test(told))?.[0]
    if (/^[+~-] |^ {2}and /.test(line) || (sign === '~' && line.startsWith(' '))) moved.push(line)
  }
  return [headline, ...moved].join('\n')
}
