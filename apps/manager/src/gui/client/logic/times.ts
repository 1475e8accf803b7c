/** The value of a `datetime-local` field as the API takes a time; undefined where there is none, or none that is a time. */
export function fieldTime(value: string): string | undefined {
  if (value === '') return undefined
  const time = new Date(value)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}

/** Letters and digits that are not taken for one another, for a password that is read out or typed off. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password made up of random bytes: four groups of five, more than 100 bits. */
export function madeUpPassword(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): string {
  const wanted = 20
  const letters: string[] = []
  while (letters.length < wanted)
    for (const byte of random(new Uint8Array(wanted))) {
      // Above the last multiple, the first letters would come more often.
      if (byte >= Math.floor(256 / LETTERS.length) * LETTERS.length || letters.length === wanted) continue
      letters.push(LETTERS.charAt(byte % LETTERS.length))
    }
  return [0, 5, 10, 15].map((at) => letters.slice(at, at + 5).join('')).join('-')
}

/** A key for a request that may be repeated. */
export const newKey = (random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): string =>
  [...random(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
