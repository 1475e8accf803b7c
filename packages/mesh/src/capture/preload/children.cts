import childProcess, { type ChildProcess } from 'node:child_process'
import workers, { type WorkerOptions } from 'node:worker_threads'
import type { CaptureConfig } from '../wire.js'

type Env = Record<string, string | undefined>

/**
 * Children are this pod too, whatever environment they are given: without this, `spawn('node', [], {env: {}})` would
 * start a process with the machine's own network. And the proxy variables, which are for programs that are not
 * Node's, are out of this process's sight and back in its children's.
 */
export function installChildren(config: CaptureConfig, inherited: Readonly<Env>, preload: string): void {
  const proxy = config.proxy ?? {}
  for (const [name, value] of Object.entries(proxy)) if (process.env[name] === value) delete process.env[name]

  const complete = (env: Readonly<Env>): Env => {
    const options = env.NODE_OPTIONS ?? ''
    const needed = options.includes(preload) ? options : `${preload} ${options}`.trim()
    // The app's own wish wins over the grant's proxy, its own pod does not win over the real one.
    return { ...proxy, ...env, NODE_OPTIONS: needed, BULKHEAD_CAPTURE: inherited.BULKHEAD_CAPTURE }
  }

  const proto = (
    childProcess.ChildProcess as unknown as { prototype: ChildProcess & { spawn(options: object): number } }
  ).prototype
  const { spawn } = proto
  proto.spawn = function (options: { envPairs?: string[] }) {
    const env: Env = {}
    for (const pair of options.envPairs ?? []) {
      const at = pair.indexOf('=', 1)
      env[pair.slice(0, at)] = pair.slice(at + 1)
    }
    const envPairs = Object.entries(complete(env)).map(([name, value]) => `${name}=${value}`)
    return spawn.call(this, { ...options, envPairs })
  }

  // The synchronous ones do not pass there. Their options are the first object after the command that is not a list.
  for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) {
    const original = childProcess[name] as (...args: unknown[]) => unknown
    const captured = (...args: unknown[]): unknown => {
      const rest = args.slice(1)
      const list = rest.find((value) => Array.isArray(value))
      const options = (rest.find((value) => typeof value === 'object' && value !== null && !Array.isArray(value)) ??
        {}) as { env?: Env | null }
      const env = complete(options.env ?? process.env)
      return original(args[0], ...(list === undefined ? [] : [list]), { ...options, env })
    }
    Object.assign(childProcess, { [name]: captured })
  }

  // A worker with an environment of its own is still this pod.
  const { Worker } = workers
  workers.Worker = class extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const own = typeof options.env === 'object' && options.env !== null
      super(file, own ? { ...options, env: complete(options.env as Env) } : options)
    }
  }
}
