import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** From half a millisecond, a service of this kind answering from memory, to the longest timeouts. Seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Memory in whoever scrapes us: a label value that callers choose would make a time series per request. */
export const MAX_ROUTES = 100
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** The metrics of one service instance, in a registry of its own. */
export class ServiceMetrics {
  readonly registry = new Registry()
  readonly #durations: Histogram<'method' | 'route' | 'status'>
  readonly #refused: Counter<'code'>
  readonly #routes = new Set<string>()
  readonly #labels = new Map<string, { readonly method: string; readonly route: string; readonly status: string }>()

  constructor(inFlight: () => number, connections: () => number) {
    const registers = [this.registry]
    this.#durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the end of the request head to the end of the response, by method, route pattern and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers,
    })
    this.#refused = new Counter({
      name: 'http_connections_refused_total',
      help: 'Connections ended because their bytes did not make a request, by error code.',
      labelNames: ['code'],
      registers,
    })
    gauge(registers, 'http_requests_in_flight', 'Requests being answered.', inFlight)
    gauge(registers, 'http_connections_open', 'Open client connections.', connections)
    processMetrics(registers)
  }

  /** @param route the route's pattern; any text is safe, but only the first 100 are told apart */
  observe(method: string, route: string, status: number, seconds: number): void {
    const key = `${method} ${status} ${route}`
    let labels = this.#labels.get(key)
    if (labels === undefined) {
      if (!this.#routes.has(route) && this.#routes.size < MAX_ROUTES) this.#routes.add(route)
      labels = {
        method: METHODS.has(method) ? method : 'other',
        route: this.#routes.has(route) ? route : 'other',
        status: String(status),
      }
      if (this.#labels.size < MAX_ROUTES * 10) this.#labels.set(key, labels)
    }
    this.#durations.observe(labels, seconds)
  }

  refused(code: string): void {
    this.#refused.inc({ code })
  }
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read())
    },
  })
}

/**
 * The process metrics that dashboards look for, read when scraped. prom-client's own set keeps a timer running a hundred
 * times a second, and an observer of every garbage collection, in every service.
 */
function processMetrics(registers: Registry[]): void {
  let previous = performance.eventLoopUtilization()
  gauge(
    registers,
    'process_start_time_seconds',
    'When the process started, as Unix time.',
    () => performance.timeOrigin / 1000,
  )
  gauge(registers, 'process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge(registers, 'nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed)
  gauge(
    registers,
    'nodejs_eventloop_utilization',
    'Share of the time since the last scrape in which the event loop was busy.',
    () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, previous)
      previous = now
      return utilization
    },
  )
  let seen = 0
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.inc((user + system) / 1e6 - seen)
      seen = (user + system) / 1e6
    },
  })
}
