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
      return question.to.service === servicesOf[workload] && callee.ports.includes(question.port)
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

/** Every Service of k8s that is called by its own port's number here, by what stands behind it. */
const servicesOf: Readonly<Record<string, string>> = {
  'demo/postgres': 'demo/postgres',
  'demo/hello-app': 'demo/hello-app',
  'gthulhu/gthulhu-mongodb': 'gthulhu/gthulhu-mongodb',
  'gthulhu/gthulhu-manager': 'gthulhu/gthulhu-manager',
  'gthulhu-node/gthulhu-scheduler': 'gthulhu-node/gthulhu-scheduler-sidecar',
  'shop/web-api': 'shop/web-api',
  'shop/purchase-history-v1': 'shop/purchase-history',
}
