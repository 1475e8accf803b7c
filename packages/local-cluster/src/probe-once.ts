import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import type { Container, Probe } from '@bulkhead/resources'
import { messageOf } from './errors.js'
import { type Image, localCommand } from './images.js'

/** Of what a failing exec probe says, this many characters are told. */
const maxSaid = 200

/** How a probe reaches the container. */
export interface ProbeTarget {
  readonly container: Container
  readonly image: Image
  readonly host: string
  dial(port: number, signal: AbortSignal): Promise<Duplex>
  /** Starts an exec probe's program, whose output is piped; undefined while the container does not run. */
  readonly exec: (argv: readonly [string, ...string[]]) => ChildProcess | undefined
}

/** The port that a probe names, as a number; undefined when it is a name that the container does not have. */
export function probePort(probe: Probe, container: Container): number | undefined {
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port
  if (typeof port !== 'string') return port
  return container.ports?.find(({ name }) => name === port)?.containerPort
}

/** Makes one probe. Resolves with undefined when it succeeded, else with what was wrong. */
export async function probeOnce(probe: Probe, target: ProbeTarget): Promise<string | undefined> {
  const seconds = probe.timeoutSeconds ?? 1
  const signal = AbortSignal.timeout(seconds * 1000)
  try {
    if (probe.exec !== undefined) return await execProbe(probe.exec.command, target, signal)
    const port = probePort(probe, target.container)
    if (port === undefined)
      return `the container has no port named ${JSON.stringify(probe.httpGet?.port ?? probe.tcpSocket?.port)}`
    const connection = await target.dial(port, signal)
    if (probe.httpGet !== undefined) return await httpProbe(probe.httpGet, port, connection, target, signal)
    connection.destroy()
    return undefined
  } catch (error) {
    return signal.aborted ? `no answer within ${seconds} s` : messageOf(error)
  }
}

function httpProbe(
  get: NonNullable<Probe['httpGet']>,
  port: number,
  connection: Duplex,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<string | undefined> {
  // The kubelet does not check certificates of what it probes.
  const stream = get.scheme === 'HTTPS' ? tlsConnect({ socket: connection, rejectUnauthorized: false }) : connection
  return new Promise<string | undefined>((resolve, reject) => {
    const asked = request({
      createConnection: () => stream,
      path: get.path ?? '/',
      signal,
      headers: {
        host: `${target.host}:${port}`,
        'user-agent': 'kube-probe/1.35',
        accept: '*/*',
        connection: 'close',
        ...Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value])),
      },
    })
    asked.on('response', (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      resolve(status >= 200 && status < 400 ? undefined : `HTTP ${status}`)
    })
    asked.on('error', reject)
    asked.end()
  }).finally(() => connection.destroy())
}

async function execProbe(
  command: readonly string[],
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<string | undefined> {
  const child = target.exec(localCommand(command, target.image))
  if (child === undefined) return 'the container does not run'
  let said = ''
  child.stdout?.resume()
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < maxSaid) said += chunk
  })
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  try {
    const [code, killed] = (await once(child, 'close')) as [number | null, string | null]
    if (code === 0) return undefined
    return signal.aborted ? 'no answer in time' : `exit ${code ?? killed}: ${said.trim().slice(0, maxSaid)}`
  } finally {
    signal.removeEventListener('abort', kill)
  }
}
