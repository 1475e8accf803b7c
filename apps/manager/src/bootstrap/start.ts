import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, ServiceError } from '@bulkhead/service-kit'
import { OPERATION_TIMEOUT_MS } from '../store/client.js'
import { isUnavailable } from '../store/failures.js'
import { latestVersion } from '../store/migrations/run.js'
import type { Store } from '../store/types.js'
import { type FirstAdmin, makeAdmin, NotMigratedError } from './admin.js'

export interface StartDeps {
  readonly store: Pick<Store, 'users' | 'roles' | 'version' | 'within'>
  readonly admin: FirstAdmin
  readonly hash: (password: string) => Promise<string>
  readonly log: Logger
  /** Gives up. */
  readonly signal: AbortSignal
  /** What one try may take. */
  readonly tryMs?: number
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000
/** Several operations, of which one may find the database gone, and a password's turn to be hashed. */
const TRY_MS = 2 * OPERATION_TIMEOUT_MS

/** Whether another try may go well: the database is away, or did not answer in the time that a try has. */
const mayPass = (error: unknown): boolean =>
  isUnavailable(error) || (error instanceof ServiceError && error.code === 'UNAVAILABLE')

/**
 * What has to be done in the database before there may be traffic. The service listens meanwhile, so that its probes are
 * answered: a database that comes late is a pod that is not ready, not one that is restarted.
 */
export class Start {
  #waitingFor: string | undefined = 'the database has not been asked yet'

  /** For readiness: throws until it is done. */
  readonly check = (): void => {
    if (this.#waitingFor !== undefined) throw new Error(this.#waitingFor)
  }

  /**
   * Tries until the database is there.
   * @throws NotMigratedError, and whatever else waiting does not mend
   */
  async run({ store, admin, hash, log, signal, tryMs = TRY_MS }: StartDeps): Promise<void> {
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        const made = await store.within(tryMs, async () => {
          const at = await store.version()
          if (at < latestVersion)
            throw new NotMigratedError(
              `the database is at version ${at}, and this service needs version ${latestVersion}: run the migrations first (migrate.js)`,
            )
          return makeAdmin(store, admin, hash)
        })
        if (made) log.info({ username: admin.email }, 'the first admin has been made')
        this.#waitingFor = undefined
        return
      } catch (error) {
        if (!mayPass(error)) throw error
        if (this.#waitingFor !== String(error)) log.warn({ err: error }, 'the database is not there yet')
        this.#waitingFor = String(error)
      }
      // Some of it by chance: replicas that lost the same database do not come back to it all at once.
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {})
    }
  }
}
