import { fileURLToPath } from 'node:url'
import type { CaptureConfig } from './wire.js'

const PRELOAD = fileURLToPath(new URL('./preload/main.cjs', import.meta.url))

/** The option that captures a Node process, as NODE_OPTIONS wants it: a path may have spaces. */
export function preloadOption(path = PRELOAD): string {
  return `--require "${path.replace(/["\\]/g, '\\$&')}"`
}

/**
 * For programs that are not Node's. Every spelling is set, since a proxy of the user's own would win over ALL_PROXY;
 * NO_PROXY is emptied, since it would let names past. Node's own reading of these is off: it is captured already.
 */
export function proxyEnv(port: number, user: string, secret: string): Readonly<Record<string, string>> {
  const url = `socks5h://${user}:${secret}@127.0.0.1:${port}`
  const names = ['ALL_PROXY', 'HTTP_PROXY', 'HTTPS_PROXY']
  const entries = names.flatMap((name) => [
    [name, url],
    [name.toLowerCase(), url],
  ])
  return { ...Object.fromEntries(entries), NO_PROXY: '', no_proxy: '', NODE_USE_ENV_PROXY: '' }
}

export function captureEnv(config: CaptureConfig): Readonly<Record<string, string>> {
  return { ...config.proxy, NODE_OPTIONS: preloadOption(), BULKHEAD_CAPTURE: JSON.stringify(config) }
}

/** An environment with a grant's in it: the grant wins, but NODE_OPTIONS of one's own are kept behind the preload. */
export function withGrant(
  env: Readonly<Record<string, string | undefined>>,
  grant: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const options = [grant.NODE_OPTIONS, env.NODE_OPTIONS].filter((value) => value).join(' ')
  return { ...Object.fromEntries(own), ...grant, ...(options === '' ? {} : { NODE_OPTIONS: options }) }
}
