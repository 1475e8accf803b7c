import { monotonic } from './clock.js'

export interface StartDelay {
  isReady(): boolean
  /** For /readyz: throws until the delay is over. */
  check(): void
}

/** READY_CHECK_RESPONSE_DELAY: a service that plays at starting slowly. */
export function createReadiness(delayMs: number): StartDelay {
  const readyAt = monotonic() + delayMs
  const isReady = (): boolean => delayMs === 0 || monotonic() >= readyAt
  return {
    isReady,
    check: () => {
      if (!isReady()) throw new Error('READY_CHECK_RESPONSE_DELAY is not over yet')
    },
  }
}
