import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pins } from '../pins.js'
import { appOf, imagesOf } from '../plan/images.js'
import { BundleError } from './errors.js'

/*
 * What the images of our apps are built from, as a digest for each: an app's own files, those of the workspaces that it runs with, and
 * what all are built by. A clone need have no git for that, and another app's change is none of it.
 */

/** By which every app is built: files, and folders. */
const recipe = ['Dockerfile.base', 'package-lock.json', 'tsconfig.base.json', 'scripts/image', 'scripts/lib']
/** Of a workspace. */
const own = ['package.json', 'tsconfig.json', 'src', 'assets']
const SCOPE = '@bulkhead/'

/** By image, a SHA-256 over the names and the contents of what it is built from. @throws BundleError `sources` */
export function sourcesOf(root: string, pins: Pins): Readonly<Record<string, string>> {
  const common = digestOf(root, filesOf(root, recipe))
  const digests = new Map<string, string>()
  const workspaceDigest = (folder: string): string => {
    const known = digests.get(folder)
    if (known !== undefined) return known
    const paths = own.map((path) => `${folder}/${path}`)
    const digest = digestOf(root, filesOf(root, paths))
    digests.set(folder, digest)
    return digest
  }
  const ofImage = (image: string): string => {
    const hash = createHash('sha256').update(common)
    for (const folder of workspacesOf(root, appOf(image))) hash.update(`${folder} ${workspaceDigest(folder)}\n`)
    return hash.digest('hex')
  }
  try {
    return Object.fromEntries(imagesOf(pins).built.map((image) => [image, ofImage(image)]))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BundleError('sources', `what the apps are built from cannot be read: ${why}. Is this clone whole?`)
  }
}

/** The images whose apps were built from something else than this clone has. */
export function otherSources(there: Readonly<Record<string, string>>, root: string, pins: Pins): readonly string[] {
  const here = sourcesOf(root, pins)
  return Object.keys(here).filter((image) => here[image] !== there[image])
}

/** The folders of an app and of all workspaces that it runs with, in order. */
function workspacesOf(root: string, app: string): readonly string[] {
  const found = new Set<string>()
  const take = (name: string): void => {
    const folder = existsSync(join(root, 'apps', name)) ? `apps/${name}` : `packages/${name}`
    if (found.has(folder)) return
    found.add(folder)
    const { dependencies = {} }: { readonly dependencies?: Readonly<Record<string, string>> } = JSON.parse(
      readFileSync(join(root, folder, 'package.json'), 'utf8'),
    )
    for (const one of Object.keys(dependencies)) if (one.startsWith(SCOPE)) take(one.slice(SCOPE.length))
  }
  take(app)
  return [...found].sort()
}

/** Tests, and what they are helped by, get into no image; nor does what begins with a dot. */
const leftOut = (path: string): boolean =>
  path.split('/').some((part) => part.startsWith('.') || part === 'testing' || part === 'node_modules') ||
  /\.test\.\w+$|(^|\/)testing\.\w+$/.test(path)

/** Every file that is one of these paths, or below one of them that is a folder; what is not there has none. */
function filesOf(root: string, paths: readonly string[]): readonly string[] {
  const below = (path: string): readonly string[] =>
    readdirSync(join(root, path), { withFileTypes: true }).flatMap((one) => {
      const inside = `${path}/${one.name}`
      if (leftOut(inside)) return []
      return one.isDirectory() ? below(inside) : [inside]
    })
  return paths.flatMap((path) => {
    const entry = lstatSync(join(root, path), { throwIfNoEntry: false })
    if (entry === undefined) return []
    return entry.isDirectory() ? below(path) : [path]
  })
}

function digestOf(root: string, files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of [...files].sort()) {
    const content = readFileSync(join(root, file))
    hash.update(`${file} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}
