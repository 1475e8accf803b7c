/** A bundle cannot be made or used. The message says what is the matter with which file, and what to do. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly code:
    | 'there'
    | 'space'
    | 'unreadable'
    | 'not-a-bundle'
    | 'damaged'
    | 'other-pins'
    | 'other-platform'
    | 'contents'
    | 'sources'

  constructor(code: BundleError['code'], message: string) {
    super(message)
    this.code = code
  }
}
