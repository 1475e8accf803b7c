import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** RFC 7518, 3.3: RS256 takes a key of 2048 bits or more. */
const LEAST_BITS = 2048

/** A private RSA key in PEM, PKCS#1 or PKCS#8. @throws RangeError that quotes nothing of it */
export function readPrivateKey(pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // Node's reason would quote nothing of the key, but OpenSSL's words help nobody either.
    throw new RangeError('it must be a private key in PEM, PKCS#1 or PKCS#8, without a passphrase')
  }
  return checked(key)
}

/** A public RSA key in PEM, PKCS#1 or SPKI. @throws RangeError, also for a private one: it has no business where a public one is asked for */
export function readPublicKey(pem: string): KeyObject {
  if (pem.includes('PRIVATE KEY'))
    throw new RangeError('it is a private key; give the public half alone (openssl pkey -pubout)')
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    throw new RangeError('it must be a public key in PEM, PKCS#1 or SPKI')
  }
  return checked(key)
}

function checked(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa')
    throw new RangeError(`it must be an RSA key, and is one of ${key.asymmetricKeyType}`)
  if (bits < LEAST_BITS) throw new RangeError(`it must have at least ${LEAST_BITS} bits, and has ${bits}`)
  return key
}
