import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

export interface Unread {
  readonly file: string
  /** The one that would have to name it. */
  readonly kustomization: string
}

/**
 * Of saved files those that are there and that the nearest kustomization above them, within the roots, does not mention:
 * kustomize reads what is named, and nothing else. Absolute paths in and out. A name that is mentioned anywhere counts as
 * read, so that nobody is told that of a patch or a generator's file.
 */
export function unreadOf(files: readonly string[], roots: readonly string[]): readonly Unread[] {
  return files.flatMap((file) => {
    if (names.includes(basename(file)) || !existsSync(file)) return []
    const root = roots.map((folder) => resolve(folder)).find((folder) => file.startsWith(`${folder}/`))
    const kustomization = root === undefined ? undefined : nearest(dirname(file), root)
    if (kustomization === undefined) return []
    const text = readFileSync(kustomization, 'utf8')
    return text.includes(basename(file)) ? [] : [{ file, kustomization }]
  })
}

function nearest(folder: string, root: string): string | undefined {
  const found = names.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (found !== undefined || folder === root) return found
  return nearest(dirname(folder), root)
}
