import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { MeshApi } from '@bulkhead/mesh'
import type { Snapshot } from '@bulkhead/verdict'
import { ClusterError, messageOf } from './errors.js'

/** Who gives tokens for passwords here, and where. */
const manager = { workload: 'gthulhu/gthulhu-manager', port: 8080, path: '/api/v1/auth/login' } as const
/** A login hashes a password, and others may be before it. */
const loginMs = 10_000
/** Shorter than a token's life; a login costs the manager a hash, and a thief has one token, not one for each request. */
const keptMs = 10 * 60_000

interface Kept {
  readonly token: Promise<string>
  readonly until: number
}

/** By data plane, which is one run of a target: whose token was got from which pod. */
const kept = new WeakMap<object, Map<string, Kept>>()

interface LoginHost {
  readonly mesh: Pick<MeshApi, 'dialAsKubelet' | 'listening'>
  readonly snapshot: Snapshot
}

/**
 * A token of the manager, as its user gets it by logging in: that a thief has it is given, and how the user came in is not what
 * is tried. So it is asked for by the kubelet's way, past the walls, whichever are on.
 * @throws ClusterError `bad-attempt`: the manager is not up, or does not take the password
 */
export async function loginAt({ mesh, snapshot }: LoginHost, username: string, password: string): Promise<string> {
  const { workload, port } = manager
  const pod = [...snapshot.pods.values()].find(
    (one) => one.workload === workload && mesh.listening(one.key).includes(port),
  )
  if (pod === undefined) throw noToken(`no pod of ${workload} is up`)
  const tokens = kept.get(mesh) ?? new Map<string, Kept>()
  kept.set(mesh, tokens)
  const key = `${pod.key} ${username}`
  const known = tokens.get(key)
  if (known !== undefined && known.until > Date.now()) return known.token
  const token = logIn(mesh, pod.key, { username, password })
  tokens.set(key, { token, until: Date.now() + keptMs })
  // One that failed is tried again.
  token.catch(() => tokens.delete(key))
  return token
}

async function logIn(
  mesh: LoginHost['mesh'],
  pod: string,
  credentials: { readonly username: string; readonly password: string },
): Promise<string> {
  const signal = AbortSignal.timeout(loginMs)
  try {
    const connection = await mesh.dialAsKubelet(pod, manager.port, signal)
    const { status, body } = await post(connection, JSON.stringify(credentials), signal)
    const token = status === 200 ? tokenIn(body) : undefined
    if (token !== undefined) return token
    throw noToken(
      status === 401
        ? `it does not take the password that the Secret holds for ${credentials.username}; somebody has changed it`
        : `it answered ${status}`,
    )
  } catch (error) {
    if (error instanceof ClusterError) throw error
    throw noToken(signal.aborted ? `it did not answer within ${loginMs / 1000} s` : messageOf(error))
  }
}

function post(
  connection: Duplex,
  body: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const asked = request({
      createConnection: () => connection,
      method: 'POST',
      path: manager.path,
      signal,
      headers: {
        host: `gthulhu-manager:${manager.port}`,
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        connection: 'close',
      },
    })
    asked.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
    })
    asked.on('error', reject)
    asked.end(body)
  }).finally(() => connection.destroy())
}

function tokenIn(body: string): string | undefined {
  const answer: unknown = JSON.parse(body)
  if (typeof answer !== 'object' || answer === null || !('data' in answer)) return undefined
  const { data } = answer
  if (typeof data !== 'object' || data === null || !('token' in data)) return undefined
  return typeof data.token === 'string' ? data.token : undefined
}

function noToken(why: string): ClusterError {
  return new ClusterError('bad-attempt', `there is no token of the manager to steal: ${why}.`)
}
