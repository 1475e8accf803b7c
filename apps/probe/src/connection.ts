import dns from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { asFailure, endedCode, Failure, type Trace } from './trace.js'

/** What is kept of an answer. More is read, and counted, but a hostile server cannot fill our memory. */
export const keptBytes = 256 * 1024
/** After this silence an answer without a length of its own is taken as complete. */
const quietMs = 50

/** A connect that hangs on a name is looked into shortly before the deadline: is it the name, or what it leads to? */
const nameCheckMs = 300

export type Where = { readonly host: string; readonly port: number } | { readonly path: string }

/** Opens a connection; marks `dns` and `connect`. The phase afterwards is `request`. */
export function open(trace: Trace, where: Where): Promise<Socket> {
  return new Promise((resolve, reject) => {
    trace.phase = 'host' in where && isIP(where.host) === 0 ? 'dns' : 'connect'
    const socket = connect(where)
    trace.opened.add(socket)
    socket.setNoDelay(true)
    const fail = (error: unknown): void => {
      socket.destroy()
      reject(asFailure(error))
    }
    const late = (): void => fail(trace.signal.reason)
    trace.signal.addEventListener('abort', late, { once: true })
    const check = 'host' in where && trace.phase === 'dns' ? checkName(trace, where.host) : undefined
    socket.once('close', () => clearTimeout(check))
    socket.once('lookup', (error: Error | null) => {
      if (error !== null) return
      trace.mark('dns')
      trace.phase = 'connect'
    })
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(check)
      trace.signal.removeEventListener('abort', late)
      socket.off('error', fail)
      // Whoever reads adds the listener that matters; an error in between must not end the process.
      socket.on('error', () => {})
      trace.mark('connect')
      trace.phase = 'request'
      resolve(socket)
    })
  })
}

/**
 * Capture names a peer only once it is connected, so a dropped packet looks like a name without an answer. A name that is
 * answered at once was not what the connect hung on.
 */
function checkName(trace: Trace, host: string): NodeJS.Timeout {
  const timeoutMs = trace.deadlineMs
  return setTimeout(
    () => {
      dns.lookup(host, (error) => {
        if (error === null && trace.phase === 'dns') trace.phase = 'connect'
      })
    },
    Math.max(timeoutMs - nameCheckMs, timeoutMs / 2),
  )
}

/**
 * Sends, and reads until `enough` says so, the far side ends, or the deadline is over. Rejects only when not one byte
 * came; `cut` is what ended an answer that is not whole.
 */
export function exchange(
  trace: Trace,
  stream: Duplex,
  send: string | Uint8Array,
  enough?: (soFar: Buffer) => boolean,
): Promise<{ readonly answer: Buffer; readonly cut?: Failure }> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = []
    let size = 0
    let quiet: NodeJS.Timeout | undefined
    const finish = (cut?: Failure): void => {
      clearTimeout(quiet)
      trace.signal.removeEventListener('abort', late)
      stream.off('data', onData).off('error', onError).off('end', onEnd).off('close', onEnd)
      stream.on('error', () => {})
      if (size === 0 && cut !== undefined) reject(cut)
      else resolve({ answer: Buffer.concat(kept), ...(cut === undefined ? {} : { cut }) })
    }
    const late = (): void => finish(asFailure(trace.signal.reason))
    const onError = (error: unknown): void => finish(asFailure(error))
    const onEnd = (): void => {
      const whole = enough === undefined && size > 0
      finish(whole ? undefined : new Failure(endedCode, 'the far side closed the connection'))
    }
    const onData = (chunk: Buffer): void => {
      if (size < keptBytes) kept.push(chunk.subarray(0, keptBytes - size))
      size += chunk.length
      trace.received(chunk.length)
      if (enough !== undefined) {
        if (enough(Buffer.concat(kept))) finish()
        return
      }
      clearTimeout(quiet)
      quiet = setTimeout(finish, quietMs)
    }
    trace.signal.addEventListener('abort', late, { once: true })
    stream.on('data', onData).on('error', onError).on('end', onEnd).on('close', onEnd)
    if (trace.signal.aborted) late()
    else if (send.length > 0) stream.write(send)
  })
}

/** Waits until the far side ends an open connection (a Failure), or the deadline is over (nothing). */
export function hold(trace: Trace, stream: Duplex): Promise<Failure | undefined> {
  trace.phase = 'held'
  return new Promise((resolve) => {
    stream.once('error', (error) => resolve(asFailure(error)))
    stream.once('end', () => resolve(new Failure(endedCode, 'the far side closed the connection')))
    stream.once('close', () => resolve(new Failure(endedCode, 'the far side closed the connection')))
    trace.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    if (trace.signal.aborted) resolve(undefined)
    stream.resume()
  })
}
