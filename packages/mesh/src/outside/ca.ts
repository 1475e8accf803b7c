import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'

/** PEM. */
export interface Leaf {
  readonly certificate: string
  readonly key: string
}

/**
 * A certificate authority of servers that are played here: the stand-in's, which pods trust (NODE_EXTRA_CA_CERTS), and the
 * API server's. It is made to be worth nothing else: its key is in memory only, and name constraints (RFC 5280, 4.2.1.10)
 * bind it to the names that are answered for.
 */
export interface OutsideCa {
  /** The root, PEM. */
  readonly root: string
  /** For names and addresses, whether the constraints have them or not: it is whoever verifies that refuses. */
  issue(...names: readonly string[]): Promise<Leaf>
}

/** What a certificate authority of servers is good for: names with what is under each, and IPv4 addresses. */
export interface ServerCaOptions {
  readonly commonName: string
  readonly names: readonly string[]
  readonly addresses: readonly string[]
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const LIFE_MS = 30 * 24 * 3_600_000
const SLACK_MS = 3_600_000

const newSerial = (): string => {
  const bytes = randomBytes(16)
  bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** @param names whose certificates are good: each with what is under it */
export const createOutsideCa = (names: readonly string[]): Promise<OutsideCa> =>
  createServerCa({ commonName: 'Bulkhead stand-in for the outside', names, addresses: [] })

/** An authority that lives in memory, and whose certificates are good for the names and addresses given and no others. */
export async function createServerCa({ commonName, names, addresses }: ServerCaOptions): Promise<OutsideCa> {
  await import('reflect-metadata')
  const [x509, asn1, { AsnConvert }] = await Promise.all([
    import('@peculiar/x509'),
    import('@peculiar/asn1-x509'),
    import('@peculiar/asn1-schema'),
  ])
  const subtrees = (bases: readonly InstanceType<typeof asn1.GeneralName>[]) =>
    new asn1.GeneralSubtrees(bases.map((base) => new asn1.GeneralSubtree({ base })))
  const constraints = new asn1.NameConstraints({
    permittedSubtrees: subtrees([
      ...names.map((dNSName) => new asn1.GeneralName({ dNSName })),
      ...addresses.map((ip) => new asn1.GeneralName({ iPAddress: `${ip}/32` })),
    ]),
    // Without any, no address at all, of either family.
    excludedSubtrees: subtrees(
      [...(addresses.length === 0 ? ['0.0.0.0/0'] : []), '::/0'].map(
        (iPAddress) => new asn1.GeneralName({ iPAddress }),
      ),
    ),
  })
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const notBefore = new Date(Date.now() - SLACK_MS)
  const notAfter = new Date(Date.now() + LIFE_MS)
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `O=Bulkhead, CN=${commonName}`,
    notBefore,
    notAfter,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.Extension(asn1.id_ce_nameConstraints, true, AsnConvert.serialize(constraints)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const authorityKeyId = await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)
  return {
    root: `${root.toString('pem')}\n`,
    async issue(...names) {
      const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: newSerial(),
        subject: '',
        issuer: root.subject,
        notBefore,
        notAfter,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
            true,
          ),
          authorityKeyId,
        ],
      })
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey))
      const lines = key.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
      return {
        certificate: `${leaf.toString('pem')}\n`,
        key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
      }
    },
  }
}
