import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export const hasCurl = (): boolean => spawnSync('curl', ['--version'], { stdio: 'ignore' }).status === 0

/** The PATH for whoever types a page: with a stand-in for curl, made in the folder, where this machine has none. */
export function curlPath(folder: string): string {
  const own = process.env.PATH ?? ''
  return hasCurl() ? own : `${standIn(folder)}${path.delimiter}${own}`
}

/** Where there is no curl: a program that does as much of it as the pages type. Returns its folder. */
function standIn(folder: string): string {
  const where = path.join(folder, 'bin')
  mkdirSync(where, { recursive: true })
  writeFileSync(path.join(where, 'curl'), `#!${process.execPath}\n${curl}`)
  chmodSync(path.join(where, 'curl'), 0o755)
  return where
}

const curl = `
const headers = {}
let url, method, out, data, via, write = '', verified = true
for (let args = process.argv.slice(2), next; (next = args.shift()) !== undefined; ) {
  if (next === '-o') out = args.shift()
  else if (next === '-w') write = args.shift()
  else if (next === '-d') data = args.shift()
  else if (next === '-X') method = args.shift()
  else if (next === '-A') headers['user-agent'] = args.shift()
  else if (next === '-H') { const [name, ...rest] = args.shift().split(':'); headers[name] = rest.join(':').trim() }
  else if (next === '--connect-to') via = args.shift().split(':').slice(2)
  else if (/^-[a-zA-Z]*k/.test(next)) verified = false
  else if (!next.startsWith('-')) url = new URL(next)
}
const secure = url.protocol === 'https:'
const { request } = require(secure ? 'node:https' : 'node:http')
const end = (status) => process.stdout.write(write.replace('%{http_code}', String(status).padStart(3, '0')).replaceAll('\\\\n', '\\n'))
const fail = (code, text) => {
  end(0)
  process.stderr.write('curl: (' + code + ') ' + text + '\\n')
  process.exitCode = code
}
if (data?.startsWith('@')) data = require('node:fs').readFileSync(data.slice(1), 'utf8').replace(/[\\r\\n]/g, '')
request(url, {
  headers: {
    host: url.host,
    accept: '*/*',
    ...(data !== undefined && { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(data) }),
    ...headers,
  },
  method: method ?? (data === undefined ? 'GET' : 'POST'),
  agent: false,
  rejectUnauthorized: verified,
  ...(secure && { servername: require('node:net').isIP(url.hostname) ? '' : url.hostname }),
  ...(via && { hostname: via[0], port: via[1] }),
}, (response) => {
  response.on('data', (chunk) => out ?? process.stdout.write(chunk))
  response.on('end', () => end(response.statusCode))
}).on('error', ({ syscall = '', code }) => {
  // exec leads curl through a proxy, which looks names up.
  if (/^(getaddrinfo|query)/.test(syscall)) fail(97, 'cannot complete SOCKS5 connection')
  else if (secure && code !== 'ECONNRESET') fail(60, 'SSL certificate problem: ' + code)
  else fail(secure ? 35 : 56, 'Recv failure: Connection reset by peer')
}).end(data)
`
