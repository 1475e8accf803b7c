import type { PolicyDiff } from '@bulkhead/analysis'
import type { ControlClient } from '@bulkhead/control'
import type { Resource } from '@bulkhead/resources'
import type { Snapshot } from '@bulkhead/verdict'

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
  const resources = objects.map(({ id, layer, at, object }): Resource => {
    const [, file = at, line = '1'] = /^(.*):(\d+)$/.exec(at) ?? []
    const { name, namespace } = object.metadata
    return {
      id,
      kind: object.kind,
      name,
      ...(namespace !== undefined && { namespace }),
      object,
      ...(layer !== undefined && { layer }),
      position: () => ({ file, line: Number(line), column: 1 }),
    }
  })
  return compile(resources, previous === undefined ? {} : { previous })
}

/** How much moved, and who may call whom now or not any more; why is `explain`'s to say. */
export async function effectText(diff: PolicyDiff): Promise<string> {
  const { renderDiff } = await import('@bulkhead/analysis')
  const { opened, closed } = diff
  const flows = opened.length === 1 ? '1 flow' : `${opened.length} flows`
  const headline =
    opened.length + closed.length === 0 ? 'nothing opened, nothing closed' : `${flows} opened, ${closed.length} closed`
  const moved = renderDiff(diff)
    .split('\n')
    .filter((line) => /^[+-] /.test(line))
  return [headline, ...moved].join('\n')
}
