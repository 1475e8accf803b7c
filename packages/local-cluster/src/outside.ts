import type { Attempt, Evidence } from '@bulkhead/scenarios'
import type { FlowDestination, ServiceModel, Snapshot } from '@bulkhead/verdict'
import { type AttemptHost, evidence } from './attempt.js'
import { lootOf } from './attempt-secrets.js'
import { ClusterError, messageOf } from './errors.js'
import type { AttemptOptions, Probe } from './probes.js'

/** What goes through a port: bytes in both directions. */
const overTcp: ReadonlySet<Attempt['kind']> = new Set(['http', 'tcp', 'tls', 'postgres', 'mongo'])

/** What a program outside the cluster has: nothing of the user's but what finds programs. */
export function outsideEnv(user: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(['PATH', 'TZ', 'LANG'].flatMap((name) => (user[name] ? [[name, user[name]]] : [])))
}

/**
 * Makes an attempt as somebody outside the cluster: the probe program, not captured, dials a port of this machine that is
 * opened for this attempt alone, so that the records of what comes in by it are known.
 */
export async function attemptFromOutside(
  run: string,
  attempt: Attempt,
  host: AttemptHost,
  probe: () => Probe,
  options: AttemptOptions,
): Promise<Evidence> {
  const { key } = doorTo(attempt, host.snapshot)
  const door = await host.mesh.publish(key, attempt.port, { at: 0, run }).catch((error: unknown) => {
    throw new ClusterError(
      'bad-attempt',
      `${key}:${attempt.port} cannot be opened to the outside: ${messageOf(error)}.`,
    )
  })
  try {
    const resolved = {
      ...attempt,
      host: '127.0.0.1',
      port: door.port,
      lateResetMs: Math.round(host.connectTimeoutMs * 0.9),
      ...(await lootOf(attempt, host)),
    }
    return await evidence(probe(), run, attempt, resolved, host, options)
  } finally {
    await door.close()
  }
}

/** From outside only what a NodePort or a load balancer leads to can be reached. */
function doorTo({ kind, to, port }: Attempt, snapshot: Snapshot): ServiceModel {
  if (!overTcp.has(kind)) {
    throw new ClusterError(
      'bad-attempt',
      `an attempt from outside is ${[...overTcp].join(', ')}, and not ${kind}: it comes in by a port that carries bytes.`,
    )
  }
  const key = serviceOf(to, snapshot)
  const service = key === undefined ? undefined : snapshot.services.get(key)
  if (service === undefined) {
    throw new ClusterError(
      'bad-attempt',
      `nothing that is up here is ${JSON.stringify(to)}, and from outside only Services and gateways can be reached; a layer that is off may hold it.`,
    )
  }
  if (!service.external) {
    throw new ClusterError(
      'bad-attempt',
      `the Service ${service.key} is of type ClusterIP, so that no way from outside leads to it; NodePort and LoadBalancer do.`,
    )
  }
  if (!service.ports.some((one) => one.port === port && one.protocol === 'TCP')) {
    const ports = service.ports.map((one) => one.port).join(', ')
    throw new ClusterError('bad-attempt', `the Service ${service.key} has no port ${port}; it has ${ports || 'none'}.`)
  }
  return service
}

/** The Service itself, or the one before a gateway's pods. */
function serviceOf(to: FlowDestination, snapshot: Snapshot): string | undefined {
  if ('service' in to) return to.service
  const gateways = [...snapshot.gateways.values()]
  if ('workload' in to) {
    const pod = snapshot.pods.get(to.workload)
    return gateways.find(({ key, workload }) => workload === to.workload || key === pod?.gateway)?.workload
  }
  if (!('labels' in to)) return undefined
  const pod = [...snapshot.pods.values()].find(
    ({ namespace, labels, gateway }) =>
      gateway !== undefined &&
      namespace === to.namespace &&
      Object.entries(to.labels).every(([name, value]) => labels[name] === value),
  )
  return gateways.find(({ key }) => key === pod?.gateway)?.workload
}
