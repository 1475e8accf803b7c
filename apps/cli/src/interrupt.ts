/** The first signal asks to stop; the second one, sent on purpose, does not want to wait. */
export interface Interrupt {
  readonly signal: AbortSignal
  /** What to do with a signal of the process: to be called by its handlers. */
  receive(name: NodeJS.Signals): void
  /** Nobody reads what is printed any more: the end of the work, as a signal is, but never a second one. */
  outputGone(): void
}

/**
 * One Ctrl-C arrives twice under npm and npx: the terminal sends it to the whole process group, and npm hands its
 * own copy on. Both come within a few milliseconds; a second key press does not.
 */
const sameKeyPressMs = 250

/**
 * @param leave ends the process at once, with the exit code that a shell gives for that signal.
 * @param now milliseconds, for tests.
 */
export function createInterrupt(
  leave: (exitCode: number) => void,
  now: () => number = performance.now.bind(performance),
): Interrupt {
  const controller = new AbortController()
  let first: number | undefined
  return {
    signal: controller.signal,
    outputGone() {
      // Told again with each write. It is no key press, so it neither ends anything at once nor makes the next one do so.
      if (!controller.signal.aborted) controller.abort('SIGPIPE')
    },
    receive(name) {
      first ??= now()
      controller.abort(name)
      if (now() - first > sameKeyPressMs) leave(signalExitCode(name))
    },
  }
}

/** As a shell tells of a program ended by a signal: 128 and its number. */
export function signalExitCode(name: unknown): number {
  const numbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 }
  return 128 + (numbers[String(name)] ?? 2)
}
