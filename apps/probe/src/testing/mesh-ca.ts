import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const hour = 3_600_000

export interface Issued {
  readonly certificate: string
  readonly key: string
}

/** A mesh's CA for tests: `issue` signs for an identity, or a host's name, by default valid now. */
export async function meshCa(): Promise<{
  readonly root: string
  issue(identity: string, lasts?: { readonly from: number; readonly to: number }): Promise<Issued>
}> {
  x509.cryptoProvider.set(webcrypto)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'O=test mesh',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 100 * hour),
    notAfter: new Date(Date.now() + hour),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  })
  return {
    root: root.toString('pem'),
    async issue(identity, lasts = { from: -1, to: 1 }) {
      const type = identity.includes('://') ? 'url' : 'dns'
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
      const leaf = await x509.X509CertificateGenerator.create({
        subject: '',
        issuer: root.subject,
        notBefore: new Date(Date.now() + lasts.from * hour),
        notAfter: new Date(Date.now() + lasts.to * hour),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type, value: identity }], true)],
      })
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
      return {
        certificate: leaf.toString('pem'),
        key: `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`,
      }
    },
  }
}
