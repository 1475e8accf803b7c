import { quote } from '../diagnostics.js'
import { gatewayGroup, intersectHosts, kindAllowed, namespaceAllowed, parentGateway } from '../gateway-api.js'
import type { Gateway, GatewayListener, HttpRoute, ParentReference } from '../kinds-gateway.js'
import { selectorMatches } from '../selectors.js'
import { didYouMean } from '../suggest.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'
import { checkBackends } from './backends.js'
import { type Cluster, warning } from './cluster.js'

/** What routes name: Gateways and their listeners, Services and their ports. What does not hold is told only by a status. */
export function checkRoutes(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) =>
    resource.kind === 'HTTPRoute' && resource.object.apiVersion.startsWith(`${gatewayGroup}/`)
      ? [
          ...new Parents(cluster, resource as Resource<HttpRoute>).check(),
          ...checkBackends(cluster, resource as Resource<HttpRoute>),
        ]
      : [],
  )
}

/** A listener that a parentRef names, whether or not it lets the route in. */
interface Named {
  readonly gateway: Resource
  readonly listener: GatewayListener
}

class Parents {
  readonly #cluster: Cluster
  readonly #route: Resource<HttpRoute>
  readonly #namespace: string
  readonly #found: Diagnostic[] = []

  constructor(cluster: Cluster, route: Resource<HttpRoute>) {
    this.#cluster = cluster
    this.#route = route
    this.#namespace = route.namespace ?? 'default'
  }

  check(): Diagnostic[] {
    const { parentRefs = [], hostnames = [] } = this.#route.object.spec
    if (parentRefs.length === 0)
      this.#say('route.no-parent', [], 'it names no parentRef, so it belongs to no Gateway and routes nothing')
    const listeners: Named[] = []
    let isWhole = parentRefs.length > 0
    for (const [index, ref] of parentRefs.entries()) {
      const named = this.#named(ref, index)
      if (named === undefined) isWhole = false
      else listeners.push(...this.#open(named, index))
    }
    // With a parent missing nobody knows which hosts it has.
    if (isWhole && listeners.length > 0) this.#checkHosts(hostnames, listeners)
    return this.#found
  }

  /** The listeners that the reference names; `undefined` when something of it is not there, or it is for the mesh. */
  #named(ref: ParentReference, index: number): Named[] | undefined {
    const key = parentGateway(ref, this.#namespace)
    if (key === undefined) return undefined
    const home = ref.namespace ?? this.#namespace
    const gateway = this.#cluster.get(gatewayGroup, 'Gateway', home, ref.name)
    if (gateway === undefined) {
      const hint = didYouMean(ref.name, this.#cluster.namesOf(gatewayGroup, 'Gateway', home))
      this.#say(
        'reference.gateway',
        ['parentRefs', index, 'name'],
        `there is no Gateway ${quote(ref.name)} in ${home}${hint}`,
      )
      return undefined
    }
    const all = (gateway as Resource<Gateway>).object.spec.listeners
    const named = ref.sectionName === undefined ? all : all.filter(({ name }) => name === ref.sectionName)
    if (named.length === 0) {
      const names = all.map(({ name }) => name)
      const hint = didYouMean(ref.sectionName ?? '', names) || `; it has ${names.join(', ')}`
      this.#say(
        'reference.listener',
        ['parentRefs', index, 'sectionName'],
        `${gateway.id} has no listener ${quote(ref.sectionName)}${hint}`,
      )
      return undefined
    }
    const atPort = ref.port === undefined ? named : named.filter(({ port }) => port === ref.port)
    if (atPort.length > 0) return atPort.map((listener) => ({ gateway, listener }))
    const what =
      ref.sectionName === undefined ? `${gateway.id} has no listener` : `its listener ${quote(ref.sectionName)} is not`
    this.#say(
      'reference.listener',
      ['parentRefs', index, 'port'],
      `${what} at port ${ref.port}; it has ${[...new Set(named.map(({ port }) => port))].join(', ')}`,
    )
    return undefined
  }

  /** Those that let the route in. */
  #open(named: readonly Named[], index: number): Named[] {
    const namespace = this.#cluster.get('', 'Namespace', undefined, this.#namespace)
    const labels = {
      'kubernetes.io/metadata.name': this.#namespace,
      ...namespace?.object.metadata.labels,
    }
    const kinds = named.filter(({ listener }) => kindAllowed(listener, 'HTTPRoute') && takesHttp(listener))
    const open = kinds.filter(({ gateway, listener }) =>
      namespaceAllowed(listener, gateway.namespace ?? 'default', this.#namespace, (selector) =>
        selectorMatches(selector, labels),
      ),
    )
    const id = named[0]?.gateway.id
    if (kinds.length === 0)
      this.#say('route.not-allowed', ['parentRefs', index], `no listener of ${id} that it names takes an HTTPRoute`)
    else if (open.length === 0)
      this.#say(
        'route.not-allowed',
        ['parentRefs', index],
        `no listener of ${id} that it names lets a route of the namespace ${this.#namespace} in (allowedRoutes.namespaces)`,
      )
    return open
  }

  #checkHosts(hostnames: readonly string[], listeners: readonly Named[]): void {
    for (const [index, host] of hostnames.entries()) {
      if (listeners.some(({ listener }) => intersectHosts(listener.hostname ?? '*', host) !== undefined)) continue
      const has = [...new Set(listeners.map(({ listener }) => listener.hostname ?? '*'))].join(', ')
      this.#say(
        'route.hostname',
        ['hostnames', index],
        `no listener that it is attached to answers for ${quote(host)}; they have ${has}`,
      )
    }
  }

  #say(code: string, path: FieldPath, message: string): void {
    this.#found.push(warning(this.#route, code, ['spec', ...path], message))
  }
}

const takesHttp = ({ protocol }: GatewayListener): boolean => protocol === 'HTTP' || protocol === 'HTTPS'
