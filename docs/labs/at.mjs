/*
 * curl, nslookup and nc, made by the Node.js of a pod's own program: the images have none of the three. `at` of cluster.sh hands this file in.
 * Of the options those that the labs type, with their meaning, and curl's numbers at the end.
 * Usage, in the pod: node --input-type=module -e "$(cat at.mjs)" -- curl ...
 */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import { connect, isIP } from 'node:net'

const flags = { curl: 'sSkv', nslookup: '', nc: 'zu' }
const values = { curl: 'owXHdmA', nslookup: '', nc: 'w' }
const long = { '--path-as-is': false, '--connect-to': true }

class Failure extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/** What was typed: `options` by their letter or name, each with its values, and the rest. */
function read(name, typed) {
  const options = new Map()
  const rest = []
  const args = [...typed]
  const take = (option, attached) => {
    const value = attached || args.shift()
    if (value === undefined) throw new Failure(2, `${option} wants a value`)
    options.set(option, [...(options.get(option) ?? []), value])
  }
  while (args.length > 0) {
    const arg = args.shift()
    if (name === 'curl' && arg in long) {
      if (long[arg]) take(arg)
      else options.set(arg, [])
    } else if (/^-[A-Za-z]/.test(arg)) {
      for (let index = 1; index < arg.length; index++) {
        const letter = arg[index]
        if (values[name].includes(letter)) {
          take(letter, arg.slice(index + 1))
          break
        }
        if (!flags[name].includes(letter)) throw new Failure(2, `-${letter} is not known here; see docs/labs/at.mjs`)
        options.set(letter, [])
      }
    } else if (arg.startsWith('--')) throw new Failure(2, `${arg} is not known here; see docs/labs/at.mjs`)
    else rest.push(arg)
  }
  return { options, rest }
}

async function stdin() {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Which of curl's numbers that is. `phase` is how far the call has come. */
function failureOf(error, { host, port, isTls, phase }) {
  const { code = '', message: said } = error.errors?.[0] ?? error
  const message = said.trim()
  if (error instanceof Failure) return error
  if (/^(ENOTFOUND|EAI_)/.test(code)) return new Failure(6, `Could not resolve host: ${host}`)
  if (code === 'ETIMEDOUT') return new Failure(28, `Connection to ${host} port ${port} timed out`)
  if (phase === 'connect' && code !== 'ECONNRESET')
    return new Failure(7, `Failed to connect to ${host} port ${port}: ${code}`)
  if (isTls && phase !== 'request')
    return /CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)
      ? new Failure(60, `SSL certificate problem: ${message}`)
      : new Failure(35, `TLS connect error: ${message}`)
  return message === 'socket hang up'
    ? new Failure(52, 'Empty reply from server')
    : new Failure(56, `Recv failure: ${message}`)
}

async function curl(typed) {
  const { options, rest } = read('curl', typed)
  const last = (option) => options.get(option)?.at(-1)
  if (rest.length !== 1 || !URL.canParse(rest[0]))
    throw new Failure(3, 'one address is wanted, with http:// or https://')
  const url = new URL(rest[0])
  const isTls = url.protocol === 'https:'
  const [, asIs = '/'] = /^[a-z]+:\/\/[^/]+(\/.*)?$/.exec(rest[0]) ?? []
  const data = last('d') === '@-' ? (await stdin()).replace(/[\r\n]/g, '') : last('d')
  const headers = { host: url.host, 'user-agent': last('A') ?? 'bulkhead-labs', accept: '*/*' }
  if (data !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded'
    headers['content-length'] = Buffer.byteLength(data)
  }
  for (const line of options.get('H') ?? []) {
    const at = line.indexOf(':')
    headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim()
  }
  const port = url.port || (isTls ? '443' : '80')
  const goal = { host: url.hostname, port, isTls, phase: 'connect' }
  const [fromHost, fromPort, toHost, toPort] = last('--connect-to')?.split(':') ?? []
  if (fromHost === goal.host && fromPort === port) Object.assign(goal, { host: toHost, port: toPort })
  const start = performance.now()
  const tell = (line) => options.has('v') && process.stderr.write(`* ${line}\n`)
  let status = '000'
  try {
    await new Promise((resolve, reject) => {
      const request = (isTls ? https : http).request({
        agent: false,
        family: 4,
        host: goal.host,
        port: goal.port,
        ...(isIP(url.hostname) === 0 && { servername: url.hostname }),
        method: last('X') ?? (data === undefined ? 'GET' : 'POST'),
        path: options.has('--path-as-is') ? asIs : `${url.pathname}${url.search}`,
        headers,
        rejectUnauthorized: !options.has('k'),
      })
      const limit = Number(last('m') ?? 0) * 1000
      const over = () => request.destroy(new Failure(28, `Operation timed out after ${limit} milliseconds`))
      const timer = limit > 0 ? setTimeout(over, limit) : undefined
      request.on('close', () => clearTimeout(timer))
      request.on('socket', (socket) => {
        socket.once('connect', () => {
          goal.phase = isTls ? 'tls' : 'request'
          tell(`Connected to ${goal.host} (${socket.remoteAddress}) port ${goal.port}`)
        })
        socket.once('secureConnect', () => {
          goal.phase = 'request'
          tell(`${socket.getProtocol()}, certificate of ${socket.getPeerCertificate().subject?.CN}`)
        })
      })
      request.on('error', reject)
      request.on('response', (response) => {
        status = String(response.statusCode)
        tell(`HTTP/${response.httpVersion} ${status}`)
        response.on('data', (chunk) => last('o') === '/dev/null' || process.stdout.write(chunk))
        response.on('error', reject)
        response.on('end', resolve)
      })
      request.end(data)
    })
  } catch (error) {
    throw failureOf(error, goal)
  } finally {
    const seconds = ((performance.now() - start) / 1000).toFixed(3)
    const format = (last('w') ?? '').replaceAll('\\n', '\n')
    process.stdout.write(format.replaceAll('%{http_code}', status).replaceAll('%{time_total}', seconds))
  }
}

async function nslookup(typed) {
  const [name = '', server] = read('nslookup', typed).rest
  const resolver = new Resolver({ timeout: 5000, tries: 2 })
  if (server !== undefined) resolver.setServers([server])
  try {
    for (const address of await resolver.resolve4(name)) process.stdout.write(`Name:\t${name}\nAddress: ${address}\n`)
  } catch ({ code }) {
    if (/TIMEOUT|ECONNREFUSED/.test(code)) throw new Failure(1, 'connection timed out; no servers could be reached')
    const says = { ENOTFOUND: 'NXDOMAIN', ENODATA: 'No answer' }[code] ?? code.replace(/^E/, '')
    throw new Failure(1, `server can't find ${name}: ${says}`)
  }
}

/** `-z`: does it open? `-u`: a datagram of what is on stdin, and whatever comes back. */
async function nc(typed) {
  const { options, rest } = read('nc', typed)
  const [host, port] = rest
  const waitMs = Number(options.get('w')?.at(-1) ?? 10) * 1000
  if (options.has('z') === options.has('u') || !(Number(port) > 0)) throw new Failure(2, 'nc -z HOST PORT, or nc -u')
  if (options.has('z')) {
    await new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), family: 4, timeout: waitMs })
      socket.on('connect', () => socket.end(resolve))
      socket.on('timeout', () => socket.destroy(new Failure(1, 'timed out')))
      socket.on('error', ({ message }) => reject(new Failure(1, message)))
    })
    return
  }
  const socket = createSocket('udp4')
  socket.on('message', (message) => process.stdout.write(message))
  const text = await stdin()
  await new Promise((resolve, reject) => {
    socket.on('error', ({ message }) => reject(new Failure(1, message)))
    socket.send(text, Number(port), host, (error) => error && reject(new Failure(1, error.message)))
    setTimeout(resolve, waitMs)
  }).finally(() => socket.close())
}

const programs = { curl, nslookup, nc }
const [name = '', ...typed] = process.argv.slice(1)
try {
  if (!(name in programs)) throw new Failure(127, `not known here; there are ${Object.keys(programs).join(', ')}`)
  await programs[name](typed)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(name === 'curl' ? `curl: (${error.code}) ${error.message}\n` : `${name}: ${error.message}\n`)
  process.exitCode = error.code
}
