import { CelError } from '../errors.js'
import { define } from '../registry.js'
import { CelValue } from '../values.js'

/*
 * Kyverno's image library: a reference as go-containerregistry reads it (pkg/name), where a name without a registry is
 * Docker Hub's, one without a folder is in `library`, and one without tag and digest is `latest`.
 */

const HUB = 'index.docker.io'
const LATEST = 'latest'

export class ImageReference extends CelValue {
  readonly type = 'kyverno.image'
  readonly registry: string
  readonly repository: string
  readonly tag: string
  readonly digest: string

  constructor(parts: Pick<ImageReference, 'registry' | 'repository' | 'tag' | 'digest'>) {
    super()
    this.registry = parts.registry
    this.repository = parts.repository
    this.tag = parts.tag
    this.digest = parts.digest
  }
  override equals(other: CelValue): boolean {
    return (
      other instanceof ImageReference &&
      other.registry === this.registry &&
      other.repository === this.repository &&
      other.tag === this.tag &&
      other.digest === this.digest
    )
  }
}

function parse(text: string): ImageReference {
  const at = text.indexOf('@')
  const digest = at === -1 ? '' : text.slice(at + 1)
  const named = at === -1 ? text : text.slice(0, at)
  const colon = named.lastIndexOf(':')
  const tagged = colon > named.lastIndexOf('/')
  const base = tagged ? named.slice(0, colon) : named
  const tag = tagged ? named.slice(colon + 1) : LATEST
  const slash = base.indexOf('/')
  const first = slash === -1 ? '' : base.slice(0, slash)
  const isRegistry = /[.:]/.test(first) || first === 'localhost'
  const written = isRegistry ? first : HUB
  const path = isRegistry ? base.slice(slash + 1) : base
  const registry = written === 'docker.io' ? HUB : written
  const repository = registry === HUB && !path.includes('/') ? `library/${path}` : path
  const fits =
    text.length <= 1_000 &&
    /^[a-z0-9_\-./]{2,255}$/.test(path) &&
    !/^\/|\/$|\/\//.test(path) &&
    /^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(registry) &&
    (digest !== '' || /^[A-Za-z0-9_\-.]{1,128}$/.test(tag)) &&
    (at === -1 || /^sha256:[a-f0-9]{64}$/.test(digest))
  if (!fits) throw new CelError(`could not parse reference: ${text.slice(0, 200)}`)
  return new ImageReference({ registry, repository, tag: digest === '' ? tag : '', digest })
}

for (const name of ['image', 'parseImageReference']) define(name, ['string'], 'opaque', ([text]) => parse(text))

define('isImage', ['string'], 'bool', ([text]) => {
  try {
    return parse(text).registry !== ''
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
})

function part(name: string, read: (image: ImageReference) => string): void {
  define(name, ['kyverno.image'], 'string', ([image]) => read(image as ImageReference))
}
part('.registry', ({ registry }) => registry)
part('.repository', ({ repository }) => repository)
part('.tag', ({ tag }) => tag)
part('.digest', ({ digest }) => digest)
part('.identifier', ({ tag, digest }) => (digest === '' ? tag : digest))
define('.containsDigest', ['kyverno.image'], 'bool', ([image]) => (image as ImageReference).digest !== '')
