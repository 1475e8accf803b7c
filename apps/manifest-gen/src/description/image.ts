/** An image's name in parts, as `distribution` reads it. */
export interface ImageReference {
  /** `localhost/bulkhead/probe`, as it was written: no registry is filled in. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

const REPOSITORY =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const DIGEST = /^sha256:[a-f0-9]{64}$/
/** No registry takes a longer one. */
export const MAX_IMAGE = 255

/** The parts of an image's name; undefined for what is none. */
export function readImage(text: string): ImageReference | undefined {
  if (text.length > MAX_IMAGE) return undefined
  const [named = '', digest, ...more] = text.split('@')
  const colon = named.lastIndexOf(':')
  const tagged = colon > named.lastIndexOf('/')
  const repository = tagged ? named.slice(0, colon) : named
  const tag = tagged ? named.slice(colon + 1) : undefined
  if (more.length > 0 || !REPOSITORY.test(repository)) return undefined
  if (tag !== undefined && !TAG.test(tag)) return undefined
  if (digest !== undefined && !DIGEST.test(digest)) return undefined
  return { repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

/**
 * Which images may be named.
 * @param allowed repositories (any tag of theirs), or whole names (that one alone)
 */
export function imageRule(allowed: readonly string[]): (image: string) => boolean {
  const whole = new Set(allowed)
  return (image) => {
    const { repository } = readImage(image) ?? {}
    return whole.has(image) || (repository !== undefined && whole.has(repository))
  }
}
