import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Pins } from '../pins.js'
import type { Place } from '../place.js'
import { unpackedFolder } from '../plan/bundled.js'
import { ArchiveReader, digestOf } from './archive.js'
import { holdManifest, readFirst } from './check.js'
import { BundleError } from './errors.js'
import { type BundleFile, type BundleManifest, type BundlePlatform, MANIFEST } from './manifest.js'

export interface UnpackOptions {
  readonly file: string
  readonly place: Place
  readonly pins: Pins
  /** What the nodes are. */
  readonly platform: string
  readonly freeBytes: (path: string) => Promise<number | undefined>
  readonly signal?: AbortSignal
}

export interface Unpacked {
  readonly folder: string
  readonly manifest: BundleManifest
  /** It was there already, and is as it should be. */
  readonly there: boolean
}

/**
 * Checks a bundle, all of it, and lays out what a cluster of this platform is made from. Nothing of it is where it is looked for before
 * everything was found to be as the manifest says.
 * @throws BundleError, or the signal's reason; nothing is left then
 */
export async function unpackBundle(options: UnpackOptions): Promise<Unpacked> {
  const { file, place, pins, platform, signal } = options
  const archive = await ArchiveReader.open(file)
  const folder = unpackedFolder(place)
  const half = `${folder}.part`
  try {
    const { manifest, text } = await readFirst(archive, file)
    const wanted = filesFor(manifest, holdManifest(manifest, { file, root: place.root, pins, platform }))
    if (await isThere(folder, text, wanted, signal)) return { folder, manifest, there: true }
    rmSync(folder, { recursive: true, force: true })
    rmSync(half, { recursive: true, force: true })
    mkdirSync(half, { recursive: true, mode: 0o700 })
    await holdRoom(options, half, wanted)
    await write(join(half, MANIFEST), [Buffer.from(text)])
    await checkFiles(archive, options, manifest.files, (path) => (wanted.has(path) ? join(half, path) : undefined))
    renameSync(half, folder)
    return { folder, manifest, there: false }
  } finally {
    rmSync(half, { recursive: true, force: true })
    await archive.close()
  }
}

/** What nodes of a platform need; the others', and npm's, are checked and left where they are. */
function filesFor(manifest: BundleManifest, { node, archives }: BundlePlatform): ReadonlyMap<string, BundleFile> {
  const used = [node.file, ...archives.map(({ file }) => file), ...Object.values(manifest.charts), manifest.gatewayApi]
  return new Map(manifest.files.filter(({ path }) => used.includes(path)).map((one) => [one.path, one]))
}

async function isThere(
  folder: string,
  text: string,
  wanted: ReadonlyMap<string, BundleFile>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!existsSync(join(folder, MANIFEST)) || readFileSync(join(folder, MANIFEST), 'utf8') !== text) return false
  for (const { path, sha256, size } of wanted.values()) {
    if (!existsSync(join(folder, path))) return false
    const found = await digestOf(join(folder, path), signal)
    if (found.sha256 !== sha256 || found.size !== size) return false
  }
  return true
}

async function holdRoom(
  { freeBytes }: UnpackOptions,
  folder: string,
  wanted: ReadonlyMap<string, BundleFile>,
): Promise<void> {
  const bytes = [...wanted.values()].reduce((sum, { size }) => sum + size, 0)
  const free = await freeBytes(folder)
  if (free === undefined || free >= bytes) return
  const gib = (some: number): string => `${(some / 1024 ** 3).toFixed(1)} GiB`
  throw new BundleError(
    'space',
    `"${dirname(folder)}" has ${gib(free)} free, and the bundle unpacked takes ${gib(bytes)}.`,
  )
}

/** Every file of the manifest has to come once, as it is told there, and no other. */
async function checkFiles(
  archive: ArchiveReader,
  { file, signal }: UnpackOptions,
  files: readonly BundleFile[],
  targetOf: (path: string) => string | undefined,
): Promise<void> {
  const damaged = (what: string): BundleError =>
    new BundleError('damaged', `"${file}" is not used: ${what}. Get it again, or make it again.`)
  const left = new Map(files.map((one) => [one.path, one]))
  for (let entry = await archive.next(); entry !== undefined; entry = await archive.next()) {
    const { path, size } = entry
    const told = left.get(path)
    if (told === undefined) throw damaged(`${JSON.stringify(path)} is in it twice, or is not in its ${MANIFEST}`)
    left.delete(path)
    if (size !== told.size) throw damaged(`${path} has ${size} bytes and should have ${told.size}`)
    const hash = createHash('sha256')
    await write(targetOf(path), hashed(entry.content(), hash, signal))
    if (hash.digest('hex') !== told.sha256) throw damaged(`${path} is not what was put into it`)
  }
  const [missing] = left.keys()
  if (missing !== undefined) throw damaged(`${missing} is missing`)
}

async function* hashed(
  content: AsyncIterable<Buffer>,
  hash: { update(data: Buffer): unknown },
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    signal?.throwIfAborted()
    hash.update(chunk)
    yield chunk
  }
}

/** Writes a file that must not be there; without a target what there is to write is only gone through. */
async function write(target: string | undefined, content: AsyncIterable<Buffer> | readonly Buffer[]): Promise<void> {
  if (target !== undefined) mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const handle = target === undefined ? undefined : await open(target, 'wx', 0o600)
  try {
    for await (const chunk of content)
      for (let at = 0; handle !== undefined && at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten
  } finally {
    await handle?.close()
  }
}
