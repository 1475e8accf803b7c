import 'reflect-metadata'
import { createPrivateKey, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const slackMs = 60_000

/** PEM. */
export interface Leaf {
  readonly cert: string
  readonly key: string
}

export interface Issuer {
  /** Its distinguished name. */
  readonly name: string
  readonly key: webcrypto.CryptoKey
}

/** A certificate with its own key for one name, good from now on; self-signed without an issuer. */
export async function issueLeaf(
  name: { readonly type: 'url' | 'dns'; readonly value: string },
  lifeMs: number,
  issuer?: Issuer,
): Promise<Leaf> {
  x509.cryptoProvider.set(webcrypto)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.create({
    subject: '',
    issuer: issuer?.name ?? '',
    notBefore: new Date(now - slackMs),
    notAfter: new Date(now + lifeMs),
    publicKey: keys.publicKey,
    signingKey: issuer?.key ?? keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([name], true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']),
    ],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  return { cert: certificate.toString('pem'), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
}
