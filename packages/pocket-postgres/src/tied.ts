import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** Waits for the end of its input, which is this process's end, whatever way that comes; then ends the other, and clears up. */
const watcher = 'read -r _; kill -s "$1" "$2" 2>/dev/null; [ -z "$3" ] || /bin/rm -rf -- "$3"'

/**
 * Starts a program that does not outlive this process: PostgreSQL by itself would go on when its starter is killed. On
 * Linux the kernel could do it; a small shell does it on macOS too. `last` says how it is ended then, and which folder goes
 * with it.
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  last: { readonly signal: 'QUIT' | 'TERM'; readonly folder?: string },
): ChildProcess {
  const child = spawn(command, [...args], options)
  if (child.pid === undefined) return child
  const guard = spawn('/bin/sh', ['-c', watcher, 'sh', last.signal, String(child.pid), last.folder ?? ''], {
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
