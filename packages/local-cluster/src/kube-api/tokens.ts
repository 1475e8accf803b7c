import { randomUUID } from 'node:crypto'
import { generateKeyPair, jwtVerify, SignJWT } from 'jose'
import type { User } from './types.js'

/** Who issues the tokens, and for whom they are when nobody is named: the API server itself. */
export const issuer = 'https://kubernetes.default.svc.cluster.local'

const ALGORITHM = 'ES256'
const minSeconds = 600
const maxSeconds = 86_400

/** A pod as a token is bound to it. */
export interface BoundPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly serviceAccount: string
}

export interface TokenRequest {
  /** Default: the API server. */
  readonly audience?: string
  /** From 10 minutes to a day. Default one hour. */
  readonly expirationSeconds?: number
}

export interface Token {
  readonly token: string
  readonly issued: Date
  readonly expires: Date
}

/** What a token is held against beside its signature: whom it was issued for must be there still. */
export interface Living {
  /** The uid of the pod that has this name now. */
  podUid(namespace: string, name: string): string | undefined
  /** The uid of the ServiceAccount, when there is one. */
  accountUid(namespace: string, name: string): string | undefined
}

export interface TokensOptions {
  readonly living: Living
  /** For tests. Default Date.now. */
  readonly now?: () => number
}

/**
 * Tokens of ServiceAccounts as the API server signs them (bound service account tokens): for an audience, for a time, and
 * dead with their pod. The key is this run's, and in memory only.
 */
export class Tokens {
  readonly #living: Living
  readonly #now: () => number
  readonly #keys = generateKeyPair(ALGORITHM)

  constructor({ living, now = Date.now }: TokensOptions) {
    this.#living = living
    this.#now = now
    this.#keys.catch(() => undefined)
  }

  async issue(pod: BoundPod, { audience = issuer, expirationSeconds = 3600 }: TokenRequest = {}): Promise<Token> {
    const issued = Math.floor(this.#now() / 1000)
    const expires = issued + Math.min(maxSeconds, Math.max(minSeconds, expirationSeconds))
    const { namespace, name, uid, node, serviceAccount } = pod
    const account = { name: serviceAccount, uid: this.#living.accountUid(namespace, serviceAccount) ?? '' }
    const token = await new SignJWT({
      'kubernetes.io': { namespace, node: { name: node }, pod: { name, uid }, serviceaccount: account },
    })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(issuer)
      .setSubject(`system:serviceaccount:${namespace}:${serviceAccount}`)
      .setAudience([audience])
      .setIssuedAt(issued)
      .setNotBefore(issued)
      .setExpirationTime(expires)
      .setJti(randomUUID())
      .sign((await this.#keys).privateKey)
    return { token, issued: new Date(issued * 1000), expires: new Date(expires * 1000) }
  }

  /** Whose token it is; undefined for one that is not good: not ours, over, for somebody else, or of somebody gone. */
  async review(token: string): Promise<User | undefined> {
    let claims: Readonly<Record<string, unknown>>
    try {
      const currentDate = new Date(this.#now())
      const expected = { issuer, audience: issuer, algorithms: [ALGORITHM], currentDate, requiredClaims: ['exp'] }
      claims = (await jwtVerify(token, (await this.#keys).publicKey, expected)).payload
    } catch {
      return undefined
    }
    // Signed with our key, so it has this shape.
    const { namespace, pod, serviceaccount } = claims['kubernetes.io'] as {
      readonly namespace: string
      readonly pod: { readonly name: string; readonly uid: string }
      readonly serviceaccount: { readonly name: string; readonly uid: string }
    }
    if (this.#living.podUid(namespace, pod.name) !== pod.uid) return undefined
    const account = this.#living.accountUid(namespace, serviceaccount.name)
    if (account === undefined || account !== serviceaccount.uid) return undefined
    return {
      name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    }
  }
}

/** Who shows nothing. */
export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
