import { writeSync } from 'node:fs'

/**
 * A pod that waits to be told what to try. It loads nothing, and ends at once at SIGTERM: as process 1 of a container
 * it would otherwise ignore it, and the kubelet would wait out the grace period.
 */
export function idle(): void {
  const leave = (): void => process.exit(0)
  process.once('SIGTERM', leave)
  process.once('SIGINT', leave)
  setInterval(() => {}, 2 ** 30)
  // Past process.stdout, which would load the streams that are not needed.
  writeSync(1, 'idle, until something is run here\n')
}
