import { setTimeout as wait } from 'node:timers/promises'
import type { Resource } from '@bulkhead/resources'
import type { Place } from '../../place.js'
import type { Tools } from '../../tools.js'
import { TargetError } from '../errors.js'
import { asked, itemsOf, kubectl, type LiveObject, textAt, valueAt } from '../live/index.js'
import { listAt } from '../live/plain.js'
import { gatewayState, isGateway } from './gateway.js'
import { argsOf } from './names.js'
import { bringsPods } from './objects.js'
import { isRefusal, type Refusal } from './refused.js'
import { conditionOf, replicaState, type State } from './state.js'

export interface ReadyOptions {
  readonly tools: Tools
  readonly place: Place
  /** How long pods may take. Default 2 minutes: images are on the nodes. */
  readonly readyMs?: number
  /** Between two looks. Default 500 ms. */
  readonly pauseMs?: number
}

/**
 * Waits until the pods of what was sent are ready, or have run; of a Gateway those that istiod makes of it.
 * @returns what was refused of them by admission, once a controller has tried
 * @throws TargetError `not-in-force` when they are not in time, with what keeps them
 */
export async function podsReady(resources: readonly Resource[], options: ReadyOptions): Promise<readonly Refusal[]> {
  const { tools, place, readyMs = 120_000, pauseMs = 500 } = options
  const all = resources.filter((one) => bringsPods(one) || isGateway(one.object))
  const deadline = performance.now() + readyMs
  for (;;) {
    const states = await Promise.all(
      all.map(async (resource) => ({ resource, ...(await stateOf(resource, tools, place)) })),
    )
    const refused = states.flatMap(({ resource, refusal }) =>
      refusal === undefined ? [] : [{ resource, stderr: refusal }],
    )
    if (refused.length > 0) return refused
    const open = states.filter(({ ready }) => !ready)
    if (open.length === 0) return []
    if (performance.now() > deadline) {
      const why = open
        .map(({ resource, why: text }) => `${resource.id}: ${text ?? 'its pods are not ready'}`)
        .join('; ')
      throw new TargetError('not-in-force', `not ready within ${readyMs / 1000} s: ${why}`)
    }
    await wait(pauseMs)
  }
}

async function stateOf(resource: Resource, tools: Tools, place: Place): Promise<State> {
  const [live] = itemsOf(await asked(tools, kubectl(place, ['get', ...argsOf(resource.object), '-o', 'json'])))
  if (live === undefined) return { ready: false, why: 'it is not there' }
  switch (resource.kind) {
    case 'Pod':
      return podState(live)
    case 'Deployment':
    case 'ReplicaSet':
      return { ...replicaState(live), ...(await refusalOf(live)) }
    case 'StatefulSet':
    case 'DaemonSet':
      return { ...replicaState(live), ...(await refusedByEvent(live, tools, place)) }
    case 'Gateway':
      return gatewayState(live, tools, place)
    default:
      // A Job's or a CronJob's pods come when they come.
      return { ready: true }
  }
}

function podState(live: LiveObject): State {
  const phase = textAt(live, 'status', 'phase')
  const isReady = conditionOf(live, 'Ready')?.status === 'True'
  if (phase === 'Succeeded' || phase === 'Failed' || isReady) return { ready: true }
  const waiting = listAt(live, 'status', 'containerStatuses').flatMap((one) => {
    const reason = textAt(one, 'state', 'waiting', 'reason')
    return reason === undefined ? [] : [`${reason} ${textAt(one, 'state', 'waiting', 'message') ?? ''}`.trim()]
  })
  return {
    ready: false,
    why: waiting.join(', ') || conditionOf(live, 'PodScheduled')?.message || `it is ${phase ?? 'not started'}`,
  }
}

async function refusalOf(live: LiveObject): Promise<Pick<State, 'refusal'>> {
  const { status, message = '' } = conditionOf(live, 'ReplicaFailure') ?? {}
  return status === 'True' && isRefusal(message) ? { refusal: message } : {}
}

/** These have no condition for it; their controllers tell it in events. */
async function refusedByEvent(live: LiveObject, tools: Tools, place: Place): Promise<Pick<State, 'refusal'>> {
  const { name, namespace = 'default', uid } = live.metadata
  const selector = `reason=FailedCreate,involvedObject.kind=${live.kind},involvedObject.name=${name}`
  const said = await asked(
    tools,
    kubectl(place, ['get', 'events', '-n', namespace, '--field-selector', selector, '-o', 'json']),
  )
  const message = itemsOf(said)
    .filter((event) => valueAt(event, 'involvedObject', 'uid') === uid)
    .flatMap((event) => textAt(event, 'message') ?? [])
    .find(isRefusal)
  return message === undefined ? {} : { refusal: message }
}
