import type { Description, Requests } from '../description/types.js'

/*
 * What a description asks for, read a second time and by other means than the generator's: who, whom, at which port, with
 * which request. Anything that is not here must not be open.
 */

export interface Question {
  /** `namespace/workload`. */
  readonly from: string
  /** By the Service, or past it to the pods themselves. */
  readonly to: { readonly service: string } | { readonly workload: string }
  /** The Service's, or the container's. */
  readonly port: number
  readonly method: string
  readonly path: string
}

const permits = ({ methods, paths }: Requests, { method, path }: Question): boolean =>
  (methods === undefined || methods.some((one) => one === method)) &&
  (paths === undefined || paths.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one)))

/** A callee's workload has another name than the callee where its Deployment is of one version. */
export const workloadOf = (namespace: string, name: string): string =>
  name === 'purchase-history' ? `${namespace}/purchase-history-v1` : `${namespace}/${name}`

/** Whether this is among what the description asks for. */
export function asks(description: Description, question: Question, waypointsOn = true): boolean {
  const { name, namespace, listens, callers, calls, waypoint } = description
  const self = `${namespace}/${name}`
  if (question.from === self) {
    return calls.some((callee) => {
      if (callee.behind !== undefined && waypointsOn)
        return (
          'service' in question.to &&
          question.to.service === `${callee.namespace}/${callee.behind.service}` &&
          permits(callee, question)
        )
      const workload = workloadOf(callee.namespace, callee.name)
      if ('workload' in question.to) return question.to.workload === workload && callee.ports.includes(question.port)
      const before = servicesOf[workload]
      if (before === undefined) return false
      return (
        question.to.service === before.service && question.port === before.port && callee.ports.includes(before.target)
      )
    })
  }
  if (listens === undefined) return false
  const straight = 'workload' in question.to && question.to.workload === self && question.port === listens.port
  const byService = 'service' in question.to && question.to.service === self && question.port === listens.servicePort
  return callers.some((caller) => {
    if (question.from !== workloadOf(caller.namespace, caller.name)) return false
    if (waypoint === undefined || !waypointsOn) return straight || byService
    return byService && permits(caller, question)
  })
}

/** The Service before each of those that may be called, and the port of it that leads to the container's. */
const servicesOf: Readonly<
  Record<string, { readonly service: string; readonly port: number; readonly target: number }>
> = {
  'demo/postgres': { service: 'demo/postgres', port: 5432, target: 5432 },
  'demo/hello-app': { service: 'demo/hello-app', port: 8000, target: 8000 },
  'gthulhu/gthulhu-mongodb': { service: 'gthulhu/gthulhu-mongodb', port: 27017, target: 27017 },
  'gthulhu/gthulhu-manager': { service: 'gthulhu/gthulhu-manager', port: 8080, target: 8080 },
  'gthulhu-node/gthulhu-scheduler': { service: 'gthulhu-node/gthulhu-scheduler-sidecar', port: 8080, target: 8080 },
  'manifest-gen/manifest-gen': { service: 'manifest-gen/manifest-gen', port: 80, target: 8080 },
  'shop/web-api': { service: 'shop/web-api', port: 8080, target: 8080 },
  'shop/purchase-history-v1': { service: 'shop/purchase-history', port: 8080, target: 8080 },
}
