/*
 * An image's name in parts, with what Kyverno adds where it is short: the registry docker.io, the tag latest.
 */

export interface Image {
  readonly registry: string
  readonly name: string
  readonly path: string
  readonly tag?: string
  readonly digest?: string
  readonly reference: string
  readonly referenceWithTag: string
}

const syntax =
  /^(?:([A-Za-z0-9.-]+(?::\d+)?)\/)?([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([a-z0-9+._-]+:[A-Fa-f0-9]{32,}))?$/

/** undefined: no image. */
export function parseImage(text: string): Image | undefined {
  if (text.length > 1_000) return undefined
  const [first = '', ...rest] = text.split('/')
  // The first part is a registry only where it cannot be a folder of docker.io.
  const named = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost')
  const found = syntax.exec(named ? text : `docker.io/${text}`)
  if (found === null) return undefined
  const [, registry = '', path = '', written, digest] = found
  const tag = written ?? (digest === undefined ? 'latest' : undefined)
  const withTag = `${registry}/${path}:${tag ?? ''}`
  return {
    registry,
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    reference: digest === undefined ? withTag : `${registry}/${path}@${digest}`,
    referenceWithTag: withTag,
  }
}
