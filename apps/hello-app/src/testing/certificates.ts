import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0])

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const HOUR_MS = 3_600_000

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])

/** A certificate authority of a test's own. */
export interface TestCa {
  /** PEM. */
  readonly ca: string
  /** A certificate for this name, and its key, PEM. Expired: since an hour ago. */
  issue(
    name: string,
    options?: { readonly expired?: boolean },
  ): Promise<{ readonly cert: string; readonly key: string }>
}

export async function createTestCa(): Promise<TestCa> {
  const keys = await newKeys()
  const now = Date.now()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=hello-app test',
    notBefore: new Date(now - 24 * HOUR_MS),
    notAfter: new Date(now + 24 * HOUR_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  })
  return {
    ca: root.toString('pem'),
    issue: async (name, { expired = false } = {}) => {
      const own = await newKeys()
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${name}`,
        issuer: root.subject,
        notBefore: new Date(now - 12 * HOUR_MS),
        notAfter: new Date(now + (expired ? -HOUR_MS : HOUR_MS)),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
      })
      const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
      return { cert: leaf.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` }
    },
  }
}
