import { generateKeyPairSync, type JsonWebKey, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, type SecureContext, type TLSSocket } from 'node:tls'
import { createCa } from '../ca.js'

export interface Shown {
  readonly cert?: string
  readonly key?: string
  /** The same, made once for many. */
  readonly secureContext?: SecureContext
  /** A ticket of an earlier session. */
  readonly session?: Buffer
}

const bytes = (jwk: JsonWebKey, field: 'd' | 'x' | 'y'): Buffer => Buffer.from(jwk[field] ?? '', 'base64url')

/**
 * A key whose public half lies: the attacker's scalar beside the victim's point (SEC 1, C.4). OpenSSL checks a
 * certificate against the point alone, so it signs with the wrong key, and only the far side can notice.
 */
export function lyingKey(victim: string): string {
  const point = new X509Certificate(victim).publicKey.export({ format: 'jwk' })
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const oid = Buffer.from('06082a8648ce3d030107', 'hex')
  const bits = Buffer.concat([Buffer.from([0, 4]), bytes(point, 'x'), bytes(point, 'y')])
  const body = Buffer.concat([
    Buffer.from([0x02, 1, 1, 0x04, 32]),
    bytes(own, 'd'),
    Buffer.from([0xa0, oid.length]),
    oid,
    Buffer.from([0xa1, bits.length + 2, 0x03, bits.length]),
    bits,
  ])
  const der = Buffer.concat([Buffer.from([0x30, body.length]), body])
  return `-----BEGIN EC PRIVATE KEY-----\n${der.toString('base64')}\n-----END EC PRIVATE KEY-----\n`
}

/** Signed by a CA of the attacker's own. */
export async function strangersCertificate(identity: string): Promise<Shown> {
  const issued = await (await createCa()).issue(identity)
  return { cert: issued.certificate, key: issued.key }
}

/** Shows something at an HBONE port. Resolves with the open TLS connection when the server speaks HTTP/2 to us. */
export function show(socket: Socket, shown: Shown): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      ...shown,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
    })
    secure.once('error', reject)
    const hungUp = () => reject(new Error('the server hung up'))
    secure.once('end', hungUp).once('close', hungUp)
    // In TLS 1.3 only what the server says next tells whether it took the certificate: its SETTINGS.
    secure.once('readable', () => {
      if (secure.readableLength > 0) resolve(secure)
    })
  })
}
