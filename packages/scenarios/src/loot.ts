import { createPrivateKey, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Attempt, Bearer, Observation, ResolvedAttempt, Sighting } from './types.js'

/** What a thief has got hold of is read with: by whoever runs the target, since the caller may not read it. */
export interface LootHost {
  /** The value of a Secret's key; undefined when there is no such Secret or key. */
  secret(namespace: string, name: string, key: string): string | undefined | Promise<string | undefined>
  /** The token of a workload's pod, as the API server gives it; undefined when there is no such pod, or it has none. */
  serviceAccountToken(workload: string): Promise<string | undefined>
  /** A token of the manager for a user and a password. */
  login(username: string, password: string): Promise<string>
}

/** There is nothing of that kind to steal. */
export class NoLoot extends Error {
  override readonly name = 'NoLoot'
}

/** How long what a stolen key signs is good, in seconds: long enough for an attempt, and no longer than the owner's own. */
const assertionSeconds = 300

/**
 * What an attempt needs and no scenario holds: a password, a token. Read here, since the caller may not read it, and given to
 * the program that makes the attempt alone.
 * @throws NoLoot when there is none
 */
export async function lootOf(attempt: Attempt, host: LootHost): Promise<Pick<ResolvedAttempt, 'password' | 'token'>> {
  const wanted = attempt.postgres ?? attempt.mongo
  return {
    ...(wanted !== undefined && { password: await secretValue(wanted.passwordFrom, 'password to log in with', host) }),
    ...(attempt.bearer !== undefined && { token: await tokenOf(attempt.bearer, host) }),
  }
}

async function tokenOf(bearer: Bearer, host: LootHost): Promise<string> {
  if ('login' in bearer) {
    const { secret, userKey, passwordKey } = bearer.login
    const username = await secretValue({ secret, key: userKey }, 'user to log in as', host)
    return host.login(username, await secretValue({ secret, key: passwordKey }, 'password to log in with', host))
  }
  if ('serviceAccountOf' in bearer) {
    const token = await host.serviceAccountToken(bearer.serviceAccountOf)
    if (token !== undefined) return token
    throw new NoLoot(
      `no pod of ${JSON.stringify(bearer.serviceAccountOf)} that is up here has a ServiceAccount's token that could be stolen; \`bulkhead status\` lists the workloads.`,
    )
  }
  const { key, audience, subject, issuer } = bearer.assertion
  const pem = await secretValue(key, 'key to sign with', host)
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + assertionSeconds)
    .sign(createPrivateKey(pem))
}

async function secretValue(
  { secret: id, key }: { readonly secret: string; readonly key: string },
  what: string,
  host: LootHost,
): Promise<string> {
  const [namespace = '', name = ''] = id.split('/')
  const value = await host.secret(namespace, name, key)
  if (value !== undefined) return value
  throw new NoLoot(
    `no Secret ${JSON.stringify(id)} with a key ${JSON.stringify(key)} is in force here, so there is no ${what}.`,
  )
}

const blanked = '[not shown]'

type Stolen = Pick<ResolvedAttempt, 'password' | 'token'>

/** Takes what was stolen out of a text; undefined where nothing was. */
function blankOf({ password, token }: Stolen): ((text: string) => string) | undefined {
  const hidden = [password, token].filter((value): value is string => value !== undefined && value !== '')
  if (hidden.length === 0) return undefined
  // In a log it may stand as JSON.
  const forms = hidden.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)])
  return (text) => forms.reduce((rest, value) => rest.split(value).join(blanked), text)
}

/** What a cluster wrote down, without what was stolen: Hubble tells the headers of a request, and a proxy its path. */
export function sightingsWithoutLoot(sightings: readonly Sighting[], stolen: Stolen): readonly Sighting[] {
  const blank = blankOf(stolen)
  if (blank === undefined) return sightings
  return sightings.map((sighting) => ({
    ...sighting,
    line: blank(sighting.line),
    ...(sighting.http !== undefined && { http: { ...sighting.http, path: blank(sighting.http.path) } }),
  }))
}

/** What was seen, without what was stolen: an answer may repeat what the request held. */
export function withoutLoot(observation: Observation, stolen: Stolen): Observation {
  const blank = blankOf(stolen)
  if (blank === undefined) return observation
  const { http, error, detail } = observation
  return {
    ...observation,
    ...(http !== undefined && {
      http: {
        ...http,
        headers: Object.fromEntries(Object.entries(http.headers).map(([name, value]) => [name, blank(value)])),
        body: blank(http.body),
      },
    }),
    ...(error !== undefined && { error: { ...error, message: blank(error.message) } }),
    ...(detail !== undefined && { detail: membersWithout(detail, blank) }),
  }
}

const membersWithout = (of: object, blank: (text: string) => string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, valueWithout(value, blank)]))

function valueWithout(value: unknown, blank: (text: string) => string): unknown {
  if (typeof value === 'string') return blank(value)
  if (Array.isArray(value)) return value.map((one) => valueWithout(one, blank))
  return typeof value === 'object' && value !== null ? membersWithout(value, blank) : value
}
