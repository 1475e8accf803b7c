import { randomBytes } from 'node:crypto'
import { hash as argonHash, verify as argonVerify } from '@node-rs/argon2'
import { WorkQueue } from './work-queue.js'

/** Argon2id, version 19: what every PHC string here is made with. */
export const argonOptions = { memoryCost: 16_384, timeCost: 3, parallelism: 2, outputLen: 32 } as const

/**
 * Of the four threads that Node has for such work: the others stay free for what everybody needs (the signatures of tokens,
 * names). 16 MiB each.
 */
const CONCURRENCY = 2

/** At 15 ms each, two at a time, the last of these has its turn within half a second on a quiet machine. */
const MAX_WAITING = 64
const MAX_WAITING_OF_ONE = 16
const RESERVED = 16
const MAX_WAIT_MS = 3_000

/** The two functions of Argon2, so that a test can count what work is done. */
export interface Argon {
  hash(password: string): Promise<string>
  verify(phc: string, password: string): Promise<boolean>
}

export const argon: Argon = {
  hash: (password) => argonHash(password, argonOptions),
  verify: argonVerify,
}

export interface Passwords {
  /** The PHC string of a password, whatever it looks like. `caller`: in whose turn the work is done. */
  hash(password: string, caller?: string): Promise<string>
  /**
   * Whether it is the password. Without a PHC string (there is no such user) the same work is done, for nothing. `known`: the
   * caller is no stranger, and has a place where those have taken all of theirs.
   */
  verify(phc: string | undefined, password: string, caller?: string, known?: boolean): Promise<boolean>
}

/** Passwords, hashed and compared a few at a time. */
export function createPasswords(
  { hash, verify }: Argon = argon,
  queue = new WorkQueue({
    concurrency: CONCURRENCY,
    maxWaiting: MAX_WAITING,
    maxWaitingOfOne: MAX_WAITING_OF_ONE,
    reserved: RESERVED,
    maxWaitMs: MAX_WAIT_MS,
  }),
): Passwords {
  let nobodys: Promise<string> | undefined
  // Of a password that nobody knows, so that no guess is right.
  const hashOfNobody = (): Promise<string> => {
    nobodys ??= hash(randomBytes(32).toString('base64'))
    return nobodys
  }
  // Once at the start, not at the first login of somebody who does not exist: that would take twice as long.
  hashOfNobody().catch(() => {
    nobodys = undefined
  })

  return {
    hash: (password, caller = '') => queue.run(caller, () => hash(prepare(password))),
    verify: async (phc, password, caller = '', known = false) => {
      const against = phc ?? (await hashOfNobody())
      const right = await queue.run(caller, () => verify(against, prepare(password)), known)
      return right && phc !== undefined
    },
  }
}

/** RFC 8265, 4.2: what looks the same is the same, whatever keyboard it was typed on. */
const prepare = (password: string): string => password.normalize('NFC')
