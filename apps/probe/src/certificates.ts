import { createPrivateKey, generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto'
import type { ResolvedAttempt } from '@bulkhead/scenarios'
import { algorithm, type Issuer, issueLeaf } from './leaf.js'
import { Failure } from './trace.js'

const minute = 60_000

/** The trust domain of somebody else's mesh. */
export const otherDomain = 'other.mesh'

/** PEM; without a certificate nothing is shown. */
export interface Shown {
  readonly cert?: string
  readonly key?: string
}

/** What the attacker shows at the HBONE port. */
export async function forge(attempt: ResolvedAttempt): Promise<Shown> {
  const claim = attempt.claim ?? 'spiffe://cluster.local/ns/default/sa/default'
  switch (attempt.certificate) {
    case 'self-signed':
      return issue(claim)
    case 'other-domain':
      return issue(claim.replace(/^spiffe:\/\/[^/]+/, `spiffe://${otherDomain}`), await authority())
    case 'expired': {
      const { certificate, key } = material(attempt)
      if (key === undefined) throw new Failure('NO_MATERIAL', 'an expired certificate needs its key in "material.key"')
      return { cert: certificate, key }
    }
    case 'stolen': {
      const { certificate } = material(attempt)
      return { cert: certificate, key: keyThatDoesNotFit(certificate) }
    }
    default:
      return {}
  }
}

function material(attempt: ResolvedAttempt): NonNullable<ResolvedAttempt['material']> {
  if (attempt.material !== undefined) return attempt.material
  throw new Failure(
    'NO_MATERIAL',
    `certificate ${JSON.stringify(attempt.certificate)} needs "material" with a PEM certificate`,
  )
}

async function authority(): Promise<Issuer> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return { name: 'O=another mesh', key: keys.privateKey }
}

/** A leaf for the claimed identity, as the SPIFFE profile has it; self-signed without an issuer. */
const issue = (claim: string, issuer?: Issuer): Promise<Shown> =>
  issueLeaf({ type: 'url', value: claim }, 60 * minute, issuer)

/**
 * A private key that names the victim's public point beside a scalar of our own. TLS libraries compare only public
 * halves before they use a certificate with a key, so this passes, and the CertificateVerify that it signs does not.
 */
function keyThatDoesNotFit(certificate: string): string {
  const victim = new X509Certificate(certificate).publicKey.export({ format: 'jwk' })
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  if (victim.crv !== 'P-256' || victim.x === undefined || victim.y === undefined || own.d === undefined) {
    throw new Failure('BAD_MATERIAL', 'only a certificate with a P-256 key can be worn without its key')
  }
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url')
  const point = Buffer.concat([Buffer.from([0, 4]), bytes(victim.x), bytes(victim.y)])
  // ECPrivateKey of RFC 5915: version, scalar, the curve's name, the public point.
  const curve = Buffer.from('06082a8648ce3d030107', 'hex')
  const sec1 = der(
    0x30,
    der(0x02, Buffer.from([1])),
    der(0x04, bytes(own.d)),
    der(0xa0, curve),
    der(0xa1, der(0x03, point)),
  )
  const key = createPrivateKey({ key: sec1, format: 'der', type: 'sec1' })
  return key.export({ type: 'sec1', format: 'pem' }).toString()
}

/** Lengths under 256 are enough for what is built here. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const head = body.length < 128 ? [tag, body.length] : [tag, 0x81, body.length]
  return Buffer.concat([Buffer.from(head), body])
}
