import closeWithGrace from 'close-with-grace'
import { ConfigError, EXIT_BAD_CONFIG } from '../config/read-config.js'
import { duration } from '../config/settings.js'
import type { ServiceLog } from '../log/logger.js'
import type { CloseOptions, Service } from '../service.js'

/** The settings of the shutdown, to be spread into a service's config. */
export const shutdownSettings = {
  /** How long to stay open after saying "not ready", until load balancers have noticed. */
  SHUTDOWN_DELAY: duration('500ms'),
  /** How long the whole shutdown may take; below the pod's terminationGracePeriodSeconds, or the kubelet's SIGKILL comes first. */
  SHUTDOWN_TIMEOUT: duration('15s'),
}

/** close-with-grace's own timer only has to catch a shutdown that hangs outside its deadline. */
const HANGING_MS = 2_000

/**
 * Closes the service on SIGTERM, SIGINT, or an error that nobody caught (then with exit code 1). A second signal leaves at
 * once, also with 1.
 */
export function closeOnSignal(service: Service, serviceLog: ServiceLog, options: Required<CloseOptions>): void {
  const { log } = serviceLog
  const leave = (problem: string) => (detail: unknown) => {
    log.error({ detail: String(detail) }, problem)
    serviceLog.flush()
  }
  closeWithGrace(
    {
      delay: options.timeoutMs + HANGING_MS,
      logger: false,
      skip: ['beforeExit'],
      onSecondSignal: leave('second signal: leaving at once'),
      onSecondError: leave('second error while stopping: leaving at once'),
      onTimeout: leave('the shutdown hangs: leaving'),
    },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'uncaught error: stopping')
      else log.info({ signal }, 'stopping')
      await service.close(options)
    },
  )
}

/**
 * What main.ts calls. A service that cannot start says why in plain sentences on standard error and exits:
 * 78 for a bad configuration, 1 for anything else.
 */
export async function main(start: () => Promise<void>): Promise<void> {
  try {
    await start()
  } catch (error) {
    process.stderr.write(`${startProblem(error)}\n`)
    process.exit(error instanceof ConfigError ? EXIT_BAD_CONFIG : 1)
  }
}

type ListenError = NodeJS.ErrnoException & {
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
}

/** Why a service could not start, as a sentence for whoever started it. */
export function startProblem(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { code, address, port, hostname, message } = error as ListenError
  if (code === 'EADDRINUSE')
    return `cannot listen on ${address}:${port}: another process listens there already; stop it, or choose another LISTEN_ADDR`
  if (code === 'EACCES')
    return `cannot listen on ${address}:${port}: permission denied; ports below 1024 need privileges, choose a higher one`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `cannot listen on ${hostname}: no such host is known; LISTEN_ADDR takes an address of this machine`
  if (code === 'EADDRNOTAVAIL') return `cannot listen on ${address}:${port}: this machine has no such address`
  return `cannot start: ${message ?? String(error)}`
}
