import { json } from './plan/done.js'
import { isRecord, listAt } from './target/live/plain.js'

/** IDs of these images on a node, as `crictl images --output json` tells them: the digest of what is in it, whatever loaded it. */
export function imageIds(stdout: string, names: readonly string[]): Readonly<Record<string, string>> {
  const images = listAt(json(stdout), 'images').filter(isRecord)
  return Object.fromEntries(
    names.flatMap((name) => {
      const id = images.find((one) => listAt(one, 'repoTags').includes(name))?.id
      return typeof id === 'string' ? [[name, id] as const] : []
    }),
  )
}

/**
 * Those of the images that are other ones now than their pods were started with. Where that is not known, as with pods that an earlier
 * version of this started, they count; where no pod was started yet, none does.
 */
export function renewed(
  now: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>> = {},
  started: boolean,
): readonly string[] {
  return Object.entries(now).flatMap(([name, id]) => {
    const known = before[name]
    return (known === undefined ? started : known !== id) ? [name] : []
  })
}
