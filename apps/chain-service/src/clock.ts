/** Where the wall clock was when the process's own began, in ms with microseconds; other processes on the machine agree to the microsecond. */
let origin = performance.timeOrigin

/** Beyond this the wall clock was set (or the machine slept), and the origin is no longer true. */
const STEP_MS = 50

/** Time since the process began, in ms; never goes back. */
export const monotonic = (): number => performance.now()

let second = Number.NaN
let prefix = ''

/** A moment of {@link monotonic} as `YYYY-MM-DDTHH:MM:SS.ffffff`: local time without its zone, microseconds cut off, not rounded. */
export function timestamp(at: number): string {
  let micros = Math.floor((origin + at) * 1e3)
  let whole = Math.floor(micros / 1e6)
  if (whole !== second) {
    // Once a second is often enough to notice that the wall clock was set. The two clocks are compared as they are now:
    // the moment in question may be some time ago.
    const drift = Date.now() - (origin + performance.now())
    if (drift > STEP_MS || drift < -STEP_MS) {
      origin += drift
      micros = Math.floor((origin + at) * 1e3)
      whole = Math.floor(micros / 1e6)
    }
    second = whole
    prefix = localSecond(new Date(whole * 1e3))
  }
  return prefix + String(micros - whole * 1e6).padStart(6, '0')
}

function localSecond(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.`
}
