import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from '../target/testing.js'

/** No command of a page takes this long. */
const limitMs = 60_000

export const limit = (): AbortSignal => AbortSignal.timeout(limitMs)

/** What a command of a page prints, typed in a terminal: both streams, in their order. */
export async function inShell(command: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn('sh', ['-c', `{ ${command}\n} 2>&1`], {
    cwd: root,
    env,
    signal: limit(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  return text
}
