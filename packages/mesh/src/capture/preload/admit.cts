import type Crypto from 'node:crypto'
import type { Socket } from 'node:net'
import { takeHead } from './head.cjs'
import { PREAMBLE_BYTES, type Preamble, readPreamble } from './preamble.cjs'

/** How long a connection to a private socket may stay silent about who it is. */
const DEADLINE_MS = 5_000

const ignore = () => {}

/**
 * A connection to a private socket is nobody's until it has shown the listener's token: destroyed at the first wrong
 * byte count, at its end, or at the deadline, and not one byte answered. Then `admitted` gets it, as if just accepted.
 */
export function admit(
  socket: Socket,
  token: Buffer,
  admitted: (preamble: Preamble) => void,
  deadlineMs = DEADLINE_MS,
): void {
  const { timingSafeEqual } = require('node:crypto') as typeof Crypto
  let bytes: Buffer = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), deadlineMs)
  timer.unref()
  const done = () => clearTimeout(timer)
  socket.on('error', ignore)
  socket.once('close', done)
  const paused = socket.readableFlowing === false
  const giveBack = takeHead(socket, (chunk) => {
    if (chunk === null) return void socket.destroy()
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    if (bytes.length < PREAMBLE_BYTES) return
    const preamble = readPreamble(bytes, token, timingSafeEqual)
    if (preamble === undefined) return void socket.destroy()
    done()
    socket.off('close', done)
    socket.off('error', ignore)
    if (paused) setReading(socket, false)
    giveBack(bytes.subarray(PREAMBLE_BYTES))
    admitted(preamble)
  })
  if (paused) setReading(socket, true)
}

interface Reading {
  reading: boolean
  readStart(): number
  readStop(): number
}

/** A server with pauseOnConnect does not read by itself; past the stream, whose state must stay as the app will expect it. */
function setReading(socket: Socket, reading: boolean): void {
  const handle = (socket as unknown as { _handle?: Reading | null })._handle
  if (!handle) return
  handle.reading = reading
  if (reading) handle.readStart()
  else handle.readStop()
}
