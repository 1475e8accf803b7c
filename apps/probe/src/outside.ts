import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createSecureContext, type SecureContext } from 'node:tls'
import * as x509 from '@peculiar/x509'
import { algorithm, type Issuer, issueLeaf } from './leaf.js'
import { counted, datagrams, endWithSignal, openAll, parsePlace, requestMs } from './listen.js'

/** Which names it has: every one below it. Nobody has them in the world (RFC 2606). */
const domain = 'example'
/** For whoever names no server, or one that is not below that. */
const defaultName = `stand-in.${domain}`
const nameForm = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){1,9}$/
const mostNames = 256
/** Longer than a container runs: what it signs is good for nothing else, and its key is in memory. */
const lifeMs = 365 * 24 * 3_600_000
const usualPlaces = ['http:80', 'https:443', 'udp:53', 'udp:443']

/** An authority that is made at the start, whose key is in memory only, and whose certificates are good for names below `example`. */
async function authority(): Promise<Issuer & { readonly root: string }> {
  x509.cryptoProvider.set(webcrypto)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const name = 'O=Bulkhead, CN=Bulkhead stand-in for the outside of a cluster'
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + lifeMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.Extension('2.5.29.30', true, permittedNames(domain)),
    ],
  })
  return { name, key: keys.privateKey, root: `${root.toString('pem')}\n` }
}

/** NameConstraints of RFC 5280, 4.2.1.10: one permitted subtree, of names. */
function permittedNames(below: string): Buffer {
  const wrapped = (tag: number, content: Buffer): Buffer => Buffer.concat([Buffer.from([tag, content.length]), content])
  return [0x30, 0xa0, 0x30].reduceRight((content, tag) => wrapped(tag, content), wrapped(0x82, Buffer.from(below)))
}

/** A certificate for each name that is asked for, made then. */
function contextsOf(issuer: Issuer): (asked: string) => Promise<SecureContext> {
  const made = new Map<string, Promise<SecureContext>>()
  return (asked) => {
    const lower = asked.toLowerCase()
    const name = nameForm.test(lower) && lower.endsWith(`.${domain}`) ? lower : defaultName
    const known = made.get(name)
    if (known !== undefined) return known
    const [oldest] = made.keys()
    if (made.size >= mostNames && oldest !== undefined) made.delete(oldest)
    const context = issueLeaf({ type: 'dns', value: name }, lifeMs - 3_600_000, issuer).then(createSecureContext)
    made.set(name, context)
    return context
  }
}

const answer = counted(({ headers: { host = '' }, method }, received) => ({
  'stand-in': true,
  host: host.replace(/:\d+$/, '').toLowerCase(),
  method,
  received,
}))

/**
 * The command: a host outside of a cluster, which has every name below `example`. It says of everything that arrives how much it was, keeps
 * nothing, and calls nobody. On stdout a line of JSON: where it listens, and the root of its certificates.
 */
export async function outside(texts: readonly string[]): Promise<void> {
  endWithSignal()
  const { root, ...issuer } = await authority()
  const contextOf = contextsOf(issuer)
  const limits = { requestTimeout: requestMs }
  const SNICallback = (name: string, done: (error: Error | null, context?: SecureContext) => void): void =>
    void contextOf(name).then((context) => done(null, context), done)
  const first = await issueLeaf({ type: 'dns', value: defaultName }, lifeMs - 3_600_000, issuer)
  const players = {
    http: () => createServer(limits, answer),
    https: () => createTlsServer({ ...limits, ...first, SNICallback, ALPNProtocols: ['http/1.1'] }, answer),
    udp: () => datagrams('stand-in'),
  }
  const wanted = texts.length === 0 ? usualPlaces : texts
  const { places } = await openAll(
    wanted.map((text) => parsePlace(text, players)),
    players,
  )
  process.stdout.write(`${JSON.stringify({ outside: places, root })}\n`)
}
