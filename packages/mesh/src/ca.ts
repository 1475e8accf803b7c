import { randomBytes, webcrypto } from 'node:crypto'

/** A workload's certificate and its key, PEM. */
export interface WorkloadCertificate {
  /** The SPIFFE URI it speaks for. */
  readonly identity: string
  readonly certificate: string
  readonly key: string
  /** Hexadecimal, unique within the CA: what tells two certificates of one identity apart. */
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
}

export interface CaOptions {
  /** Default `cluster.local`. */
  readonly trustDomain?: string
  /** Life of a workload's certificate. Default 1 h. */
  readonly ttlMs?: number
  /** For tests. Default Date.now. */
  readonly now?: () => number
}

/**
 * The mesh's certificate authority: P-256, made in memory at start and gone with the process. It issues what istiod
 * issues to ztunnel: no subject, one critical SPIFFE URI, good for both ends of a TLS connection (X509-SVID, section 4).
 */
export interface CertificateAuthority {
  readonly trustDomain: string
  readonly ttlMs: number
  /** The clock that its certificates are of. */
  now(): number
  /** The root, PEM: all that a peer needs to trust. */
  readonly root: string
  issue(identity: string, life?: { readonly notBefore: Date; readonly notAfter: Date }): Promise<WorkloadCertificate>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const HOUR_MS = 3_600_000
const ROOT_LIFE_MS = 365 * 24 * HOUR_MS
/** Clocks of two nodes may differ by as much; istiod grants the same. */
const CLOCK_SLACK_MS = 2 * 60_000

/** The library costs more to load than all certificates of a shop together, so it is loaded when a CA is made. */
const loadX509 = async () => {
  // The library's decorators need this metadata API to be there first.
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** A positive serial of 16 octets (RFC 5280, 4.1.2.2). */
const newSerial = (): string => {
  const bytes = randomBytes(16)
  bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** Certificates count in whole seconds. */
const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000)

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])

const pem = (label: string, der: ArrayBuffer): string => {
  const base64 = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`
}

export async function createCa(options: CaOptions = {}): Promise<CertificateAuthority> {
  const { trustDomain = 'cluster.local', ttlMs = HOUR_MS, now = Date.now } = options
  const x509 = await loadX509()
  const keys = await newKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `O=${trustDomain}, CN=Bulkhead local CA`,
    notBefore: wholeSecond(now() - CLOCK_SLACK_MS),
    notAfter: wholeSecond(now() + ROOT_LIFE_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      // It signs workloads' certificates and no further CA.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const authorityKeyId = await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)

  return {
    trustDomain,
    ttlMs,
    now,
    root: `${root.toString('pem')}\n`,
    async issue(identity, life) {
      const leafKeys = await newKeys()
      const serial = newSerial()
      const notBefore = wholeSecond(life?.notBefore.getTime() ?? now() - CLOCK_SLACK_MS)
      // Rounded up, or a life below a second would be none.
      const notAfter = wholeSecond((life?.notAfter.getTime() ?? now() + ttlMs) + 999)
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: serial,
        subject: '',
        issuer: root.subject,
        notBefore,
        notAfter,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
          // Critical, as it must be where the subject is empty (RFC 5280, 4.2.1.6).
          new x509.SubjectAlternativeNameExtension([{ type: 'url', value: identity }], true),
          authorityKeyId,
        ],
      })
      const key = await webcrypto.subtle.exportKey('pkcs8', leafKeys.privateKey)
      return {
        identity,
        certificate: `${leaf.toString('pem')}\n`,
        key: pem('PRIVATE KEY', key),
        serial,
        notBefore,
        notAfter,
      }
    },
  }
}

/**
 * What a thief can have got hold of: a certificate that this CA really issued and whose time is over, or a good one
 * without its key (the key is thrown away unseen).
 */
export async function loot(
  ca: CertificateAuthority,
  kind: 'expired' | 'stolen',
  identity: string,
): Promise<{ certificate: string; key?: string }> {
  if (kind === 'stolen') return { certificate: (await ca.issue(identity)).certificate }
  const over = Date.now() - HOUR_MS
  const issued = await ca.issue(identity, { notBefore: new Date(over - HOUR_MS), notAfter: new Date(over) })
  return { certificate: issued.certificate, key: issued.key }
}
