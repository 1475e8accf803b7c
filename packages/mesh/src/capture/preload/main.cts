/*
 * The capture preload: `node --require <this file>`. With it a process is a pod: its TCP, UDP and names go through the
 * mesh, and what it can ask about itself is answered as in the pod. CommonJS, because --require also reaches workers
 * made from a string, which --import does not, and starts a third of the time faster.
 */
import { syncBuiltinESMExports } from 'node:module'
import net, { type Server } from 'node:net'
import type { CaptureConfig } from '../wire.js'
import { Channel } from './channel.cjs'
import { installChildren } from './children.cjs'
import { installConnect } from './connect.cjs'
import { Datagrams } from './dgram.cjs'
import { installDns } from './dns.cjs'
import { Ends } from './ends.cjs'
import { installIdentity } from './identity.cjs'
import type * as Listen from './listen.cjs'
import { installTls } from './tls.cjs'

const INSTALLED = Symbol.for('bulkhead.capture')

function read(): CaptureConfig {
  const text = process.env.BULKHEAD_CAPTURE ?? ''
  try {
    const config = JSON.parse(text) as CaptureConfig
    const { agent, runDir, sockets, secret, pod } = config
    if ([agent, runDir, sockets, secret, pod.name, pod.ip].every((value) => typeof value === 'string')) return config
  } catch {
    // Told below.
  }
  // Its value is not quoted: there may be a secret in it.
  throw new Error(
    `invalid env var BULKHEAD_CAPTURE (${text.length} characters, not what a grant gives). This process was to run as a pod, and does not start without its capture.`,
  )
}

/** As it must stand in NODE_OPTIONS, where a space ends an option and a backslash quotes. */
function preloadOption(): string {
  return `--require "${__filename.replace(/["\\]/g, '\\$&')}"`
}

/** Most programs never listen, and every file read here is time that each of them waits. */
function installListenLate(config: CaptureConfig, channel: Channel, ends: Ends): void {
  const proto = net.Server.prototype
  const { listen } = proto
  proto.listen = function (this: Server, ...args: unknown[]): Server {
    proto.listen = listen
    const { installListen } = require('./listen.cjs') as typeof Listen
    installListen(config, channel, ends)
    return Reflect.apply(proto.listen, this, args)
  } as Server['listen']
}

function install(): void {
  const config = read()
  const connect = net.Socket.prototype.connect
  const channel = new Channel(config, connect)
  const ends = new Ends()
  const datagrams = new Datagrams(config, channel)
  ends.install(channel)
  installConnect(config, channel, ends, connect)
  installTls()
  installListenLate(config, channel, ends)
  installDns(config, channel)
  datagrams.install()
  installIdentity(config)
  installChildren(config, { BULKHEAD_CAPTURE: process.env.BULKHEAD_CAPTURE }, preloadOption())
  channel.onNote = (note) => {
    if (note.op === 'datagram') datagrams.deliver(note)
    else if (note.op !== 'refused') ends.reset(note)
  }
  syncBuiltinESMExports()
}

// A file that is named twice on the way here must not capture what is captured already.
const marked = globalThis as unknown as Record<symbol, unknown>
if (marked[INSTALLED] === undefined) {
  marked[INSTALLED] = true
  install()
}
