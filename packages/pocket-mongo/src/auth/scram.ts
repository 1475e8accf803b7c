import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { saslprep } from '@mongodb-js/saslprep'
import { MongoError } from '../errors.js'

/* SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side: neither the password nor what stands for it is ever received. */

export const ITERATIONS = 15_000
const SALT_BYTES = 28
const NONCE_BYTES = 24
const derive = promisify(pbkdf2)

/** What is kept of a password: enough to check it, too little to log in with it. */
export interface Credential {
  readonly iterationCount: number
  /** Base64, as the other two. */
  readonly salt: string
  readonly storedKey: string
  readonly serverKey: string
}

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const hash = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** @throws MongoError BadValue (a password with characters that RFC 4013 forbids) */
export async function credentialOf(
  password: string,
  { iterationCount = ITERATIONS, salt = randomBytes(SALT_BYTES) } = {},
): Promise<Credential> {
  const salted = await derive(prepared(password), salt, iterationCount, 32, 'sha256')
  return {
    iterationCount,
    salt: salt.toString('base64'),
    storedKey: hash(hmac(salted, 'Client Key')).toString('base64'),
    serverKey: hmac(salted, 'Server Key').toString('base64'),
  }
}

/** For whoever has the password anyway: the server's own options. */
export async function isPasswordOf(credential: Credential, password: string): Promise<boolean> {
  const { iterationCount, salt, storedKey } = credential
  const same = await credentialOf(password, { iterationCount, salt: Buffer.from(salt, 'base64') })
  return timingSafeEqual(Buffer.from(same.storedKey, 'base64'), Buffer.from(storedKey, 'base64'))
}

function prepared(password: string): string {
  try {
    return saslprep(password)
  } catch {
    throw new MongoError('BadValue', 'the password has characters in it that SASLprep (RFC 4013) forbids')
  }
}

/** Made anew with each start: the salts of users that are not there are not to be told from others. */
const dummySecret = randomBytes(32)

/** The same for the same name, as a real one is: whoever asks twice does not learn that there is no such user. */
function dummyCredential(user: string): Credential {
  const [salt, key] = [hmac(dummySecret, `salt ${user}`), hmac(dummySecret, `key ${user}`)]
  return {
    iterationCount: ITERATIONS,
    salt: salt.subarray(0, SALT_BYTES).toString('base64'),
    storedKey: key.toString('base64'),
    serverKey: key.toString('base64'),
  }
}

const failed = (): MongoError => new MongoError('AuthenticationFailed', 'Authentication failed.')

/** One login under way. */
export class Conversation {
  readonly user: string
  readonly first: string
  readonly #credential: Credential
  readonly #known: boolean
  readonly #nonce: string
  readonly #bare: string

  /**
   * Reads the client's first message.
   *
   * @param find undefined: there is no such user, which the client learns at the end as it would of a wrong password
   * @param own the server's part of the nonce; tests alone give it
   * @throws MongoError AuthenticationFailed
   */
  constructor(
    message: string,
    find: (user: string) => Credential | undefined,
    own = randomBytes(NONCE_BYTES).toString('base64'),
  ) {
    // gs2-header: no channel binding, no other identity to act as.
    const read = /^[ny],,((?:m=[^,]*,)?n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+))$/.exec(message)
    const [, bare, name, nonce] = read ?? []
    if (bare === undefined || name === undefined || nonce === undefined || bare.startsWith('m=')) throw failed()
    this.user = nameOf(name)
    const credential = find(this.user)
    this.#known = credential !== undefined
    this.#credential = credential ?? dummyCredential(this.user)
    this.#nonce = `${nonce}${own}`
    this.#bare = bare
    this.first = `r=${this.#nonce},s=${this.#credential.salt},i=${this.#credential.iterationCount}`
  }

  /**
   * Reads the client's proof and answers with the server's own.
   *
   * @throws MongoError AuthenticationFailed
   */
  finish(message: string): string {
    const read = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)),p=([A-Za-z0-9+/=]+)$/.exec(message)
    const [, withoutProof = '', binding = '', nonce = '', proof = ''] = read ?? []
    const header = Buffer.from(binding, 'base64').toString('latin1')
    if (read === null || nonce !== this.#nonce || (header !== 'n,,' && header !== 'y,,')) throw failed()
    const signed = `${this.#bare},${this.first},${withoutProof}`
    const storedKey = Buffer.from(this.#credential.storedKey, 'base64')
    const signature = hmac(storedKey, signed)
    const given = Buffer.from(proof, 'base64')
    if (given.length !== signature.length) throw failed()
    const clientKey = signature.map((byte, index) => byte ^ (given[index] ?? 0))
    const right = timingSafeEqual(hash(clientKey), storedKey)
    if (!right || !this.#known) throw failed()
    return `v=${hmac(Buffer.from(this.#credential.serverKey, 'base64'), signed).toString('base64')}`
  }
}

function nameOf(escaped: string): string {
  if (/=(?!2C|3D)/.test(escaped)) throw failed()
  return escaped.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
