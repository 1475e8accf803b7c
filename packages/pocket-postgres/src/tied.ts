import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** Waits for the end of its input, which is this process's end, whatever way that comes; then ends the other. */
const watcher = 'read -r _; kill -s "$1" "$2" 2>/dev/null'

/**
 * Starts a program that does not outlive this process: PostgreSQL by itself would go on when its starter is killed. On
 * Linux the kernel could do it; a small shell does it on macOS too.
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  lastSignal: 'QUIT' | 'TERM',
): ChildProcess {
  const child = spawn(command, [...args], options)
  if (child.pid === undefined) return child
  const guard = spawn('/bin/sh', ['-c', watcher, 'sh', lastSignal, String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
  })
  guard.on('error', () => undefined)
  guard.stdin?.on('error', () => undefined)
  guard.unref()
  // Ended before its input is, or it would signal a number that may be another process's by then.
  child.once('exit', () => guard.kill('SIGKILL'))
  return child
}
