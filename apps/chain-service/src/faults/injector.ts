import type { Random } from './random.js'

export interface Fault {
  readonly code: number
  readonly error: string
  /** How long to wait before it is answered. */
  readonly delayMs: number
}

export interface FaultOptions {
  readonly errorRate: number
  readonly errorType: 'http_error' | 'delay'
  readonly errorCode: number
  readonly errorDelayMs: number
  /** Requests per second; 0 for no limit. */
  readonly rateLimit: number
  readonly rateLimitCode: number
  /** Draws which requests fail. Without it they fail evenly: at 0.2 every fifth. */
  readonly random: Random | undefined
  readonly now: () => number
}

/** Says of each request, in the order of their coming, whether it is to fail: the rate limit first, then the error rate. */
export function createInjector(options: FaultOptions): () => Fault | undefined {
  const limited = rateLimiter(options.rateLimit, options.now)
  const fails = errorRate(options.errorRate, options.random)
  const { errorType, errorCode, errorDelayMs, rateLimitCode } = options
  return () => {
    if (limited()) return { code: rateLimitCode, error: 'Service exceeded rate limit', delayMs: 0 }
    if (!fails()) return undefined
    if (errorType === 'delay')
      return { code: errorCode, error: 'Service delay automatically injected', delayMs: errorDelayMs }
    return { code: errorCode, error: 'Service error automatically injected', delayMs: 0 }
  }
}

/** Token bucket as Go's rate.Limiter: it holds the whole requests of one second, so that below one per second nothing passes. */
function rateLimiter(perSecond: number, now: () => number): () => boolean {
  if (perSecond <= 0) return () => false
  const burst = Math.floor(perSecond)
  let tokens = burst
  let last = now()
  return () => {
    const at = now()
    tokens = Math.min(burst, tokens + ((at - last) / 1000) * perSecond)
    last = at
    if (tokens < 1) return true
    tokens -= 1
    return false
  }
}

/**
 * For 1/n this fails every n-th request, as the original does. Other rates it keeps on average, where the original
 * rounds them up (0.3 to a third, all above 0.5 to every request), and 0 and 1 are never and always.
 */
function errorRate(rate: number, random: Random | undefined): () => boolean {
  if (rate <= 0) return () => false
  if (random !== undefined) return () => random() < rate
  let requests = 0
  return () => {
    requests++
    // A rate such as 0.1 is not exact in binary: the tenth request must not miss by a rounding.
    return Math.floor(requests * rate + 1e-9) > Math.floor((requests - 1) * rate + 1e-9)
  }
}
