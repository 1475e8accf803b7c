import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { locked } from '../lock.js'
import type { Pins } from '../pins.js'
import type { Place } from '../place.js'
import { type Chart, chartsOf } from '../plan/charts.js'
import type { Tools } from '../tools.js'
import { writeArchive } from './archive.js'
import { valuesOf } from './check.js'
import { BundleError } from './errors.js'
import { Fetcher } from './fetch.js'
import { grouped, withoutDigest } from './images.js'
import { type BundleManifest, type BundlePlatform, MANIFEST, NPM_CACHE, SCHEMA } from './manifest.js'
import { Parts } from './parts.js'
import { sourcesOf } from './sources.js'

const GIB = 1024 ** 3
/** What the images of one platform may take, saved and unpacked: an estimate, since nobody knows before they are fetched. */
const PLATFORM_BYTES = 6 * GIB

export interface MakeBundleOptions {
  /** The archive; its checksum goes beside it, as `<file>.sha256`. */
  readonly file: string
  readonly place: Place
  readonly pins: Pins
  /** `linux/amd64`, `linux/arm64`. */
  readonly platforms: readonly string[]
  readonly tools: Tools
  /** What is free where a path is; undefined where nobody knows. */
  readonly freeBytes: (path: string) => Promise<number | undefined>
  /** Told what is done, as it begins; `there` when it was there from the last time. */
  readonly tell: (what: string, there: boolean) => void
  readonly signal?: AbortSignal
  readonly now?: () => Date
}

export interface MadeBundle {
  readonly manifest: BundleManifest
  readonly bytes: number
  readonly sha256: string
}

/** Where the files are until the archive is whole. */
export const partsFolder = (file: string): string => `${file}.parts`

/**
 * Makes a bundle: everything that a cluster would fetch, and what is needed to install this clone, in one archive. It has its name once it
 * is whole; who was interrupted goes on with what was fetched.
 * @throws BundleError, LockedError, ActionError, ToolError, or the signal's reason
 */
export async function makeBundle(options: MakeBundleOptions): Promise<MadeBundle> {
  const { file } = options
  return locked({ lock: `${file}.lock` }, async () => {
    if (isFolder(file))
      throw new BundleError('there', `"${file}" is a folder; name the file that is to be made, in it for instance.`)
    if (existsSync(file)) throw new BundleError('there', `"${file}" is there already. Delete it, or say another name.`)
    const made = new Making(options)
    await made.room()
    return made.all()
  })
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

class Making {
  readonly #options: MakeBundleOptions
  readonly #fetch: Fetcher
  readonly #values: Readonly<Record<string, string>>

  constructor(options: MakeBundleOptions) {
    const { tools, place, pins, signal } = options
    this.#options = options
    this.#fetch = new Fetcher(tools, place, pins, { signal, each: (what) => options.tell(`  ${what}`, false) })
    this.#values = valuesOf(place.root, pins)
  }

  /** Said before anything is fetched, and once more when it is known how much it is. */
  async room(bytes = 2 * PLATFORM_BYTES * this.#options.platforms.length): Promise<void> {
    const { file, freeBytes } = this.#options
    mkdirSync(dirname(file), { recursive: true })
    const free = existsSync(partsFolder(file)) && bytes > GIB ? undefined : await freeBytes(dirname(file))
    if (free !== undefined && free < bytes) throw noRoom(dirname(file), bytes, free)
  }

  async all(): Promise<MadeBundle> {
    const { file, place, pins, platforms, signal, now = () => new Date() } = this.#options
    // As they are before anything is built of them.
    const sources = sourcesOf(place.root, pins)
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([SCHEMA, pins, this.#values, [...platforms].sort()]))
      .digest('hex')
    const parts = new Parts(partsFolder(file), fingerprint, signal)
    const tools = await this.#fetch.versions()
    const charts = await this.#charts(parts)
    await this.#one(parts, `Fetch the Gateway API's definitions ${pins.gatewayApi}`, gatewayApiFile, (target) =>
      this.#fetch.gatewayApi(target),
    )
    this.#options.tell('Look which images the charts run', false)
    const images = await this.#fetch.images((chart) => parts.at(chartFile(chart)))
    const made: BundlePlatform[] = []
    for (const platform of platforms) made.push(await this.#platform(parts, platform, images))
    const registry = await this.#npm(parts)
    this.#options.tell('Take the checksums', false)
    const files = await parts.digests()
    const manifest: BundleManifest = {
      ...{ schema: SCHEMA, made: now().toISOString(), pins: { ...pins }, values: { ...this.#values }, tools },
      ...{
        platforms: made,
        charts,
        gatewayApi: gatewayApiFile,
        npm: { registry },
        sources: { ...sources },
        files: [...files],
      },
    }
    return this.#pack(parts, manifest)
  }

  async #one(parts: Parts, what: string, path: string, how: (target: string) => Promise<void>, again = false) {
    let told = false
    const there = await parts.make(
      path,
      (target) => {
        this.#options.tell(what, false)
        told = true
        return how(target)
      },
      again,
    )
    if (there && !told) this.#options.tell(what, true)
  }

  async #charts(parts: Parts): Promise<Record<string, string>> {
    const charts = Object.values(chartsOf(this.#options.pins)) as readonly Chart[]
    for (const chart of charts)
      await this.#one(parts, `Fetch the chart ${chart.chart} ${chart.version}`, chartFile(chart), (target) =>
        this.#fetch.chart(chart, target),
      )
    return Object.fromEntries(charts.map((chart) => [chart.name, chartFile(chart)]))
  }

  async #platform(parts: Parts, platform: string, images: readonly string[]): Promise<BundlePlatform> {
    const { pins } = this.#options
    const folder = `images/${platform.replaceAll('/', '-')}`
    const node = { image: withoutDigest(pins.kind.node), file: `${folder}/kindest-node.tar` }
    const save = (what: string, path: string, some: readonly string[], again = false): Promise<void> =>
      this.#one(parts, `${what} for ${platform}`, path, (target) => this.#fetch.save(some, platform, target), again)
    await save(`Fetch the image of the nodes, ${node.image},`, node.file, [pins.kind.node])
    const archives: BundlePlatform['archives'] = []
    for (const [group, some] of grouped(images)) {
      const file = `${folder}/${group}.tar`
      const ours = group.startsWith('localhost')
      const what = ours ? 'Build the images of the apps' : `Fetch ${some.length} of ${group.replaceAll('-', '/')}`
      // What is built here depends on more than on pins; Docker knows what has changed.
      await save(what, file, some, ours)
      archives.push({ file, images: some.map(withoutDigest) })
    }
    return { platform, node, archives }
  }

  async #npm(parts: Parts): Promise<string> {
    const registry = await this.#fetch.npmRegistry()
    const what = 'Fetch the packages of npm, and see them install without a network'
    const cpus = this.#options.platforms.map((platform) => (platform.endsWith('/amd64') ? 'x64' : 'arm64'))
    const there = await parts.makeFolder(NPM_CACHE, (cache) => {
      this.#options.tell(what, false)
      return this.#fetch.npmCache(cpus, cache)
    })
    if (there) this.#options.tell(what, true)
    return registry
  }

  async #pack(parts: Parts, manifest: BundleManifest): Promise<MadeBundle> {
    const { file, tell, signal } = this.#options
    const text = `${JSON.stringify(manifest, undefined, 1)}\n`
    const first = { path: MANIFEST, size: Buffer.byteLength(text), from: { text } }
    const all = [first, ...parts.packed(manifest.files)]
    const bytes = all.reduce((sum, { size }) => sum + size + 2048, 0)
    await this.room(bytes)
    tell('Pack it', false)
    const scratch = parts.scratch()
    const target = `${scratch}/bundle.tar`
    const sha256 = await writeArchive(target, all, signal).catch((error: unknown) => {
      rmSync(scratch, { recursive: true, force: true })
      throw error
    })
    signal?.throwIfAborted()
    // From here on nothing waits, so that nothing comes in between.
    const sum = `${parts.folder}/sha256`
    writeFileSync(sum, `${sha256}  ${basename(file)}\n`)
    renameSync(sum, `${file}.sha256`)
    renameSync(target, file)
    parts.remove()
    return { manifest, bytes, sha256 }
  }
}

const gatewayApiFile = 'gateway-api/standard-install.yaml'
const chartFile = ({ chart, version }: Chart): string => `charts/${chart}-${version}.tgz`

function noRoom(folder: string, wanted: number, free: number): BundleError {
  const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`
  return new BundleError(
    'space',
    `"${folder}" has ${gib(free)} free, and the bundle needs up to ${gib(wanted)} there, its parts and the whole. Make room, or say a file on another disk.`,
  )
}
