import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PINS_FILE, type Pins } from '../pins.js'
import { chartsOf } from '../plan/charts.js'
import { ArchiveReader } from './archive.js'
import { BundleError } from './errors.js'
import {
  type BundleManifest,
  type BundlePlatform,
  MANIFEST,
  MAX_MANIFEST,
  otherPins,
  parseManifest,
} from './manifest.js'

/** The files with charts' values, and what is in them: images come and go with values. */
export function valuesOf(root: string, pins: Pins): Readonly<Record<string, string>> {
  const files = Object.values(chartsOf(pins)).flatMap(({ values, bundleValues = [] }) => [...values, ...bundleValues])
  const digest = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex')
  return Object.fromEntries([...new Set(files)].sort().map((file) => [file, digest(file)]))
}

/** The manifest alone, which is a bundle's first file. @throws BundleError */
export async function readManifest(file: string): Promise<BundleManifest> {
  const archive = await ArchiveReader.open(file)
  try {
    return (await readFirst(archive, file)).manifest
  } finally {
    await archive.close()
  }
}

/** Reads the first file of an archive, which has to be a manifest. @throws BundleError */
export async function readFirst(
  archive: ArchiveReader,
  file: string,
): Promise<{ readonly manifest: BundleManifest; readonly text: string }> {
  const entry = await archive.next()
  if (entry?.path !== MANIFEST || entry.size > MAX_MANIFEST)
    throw new BundleError('not-a-bundle', `"${file}" is not a bundle: it does not begin with a ${MANIFEST}.`)
  const chunks: Buffer[] = []
  for await (const chunk of entry.content()) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  return { manifest: parseManifest(text, file), text }
}

/**
 * Holds that a bundle is for this clone and these nodes.
 * @returns its part for the platform
 * @throws BundleError `other-pins`, `other-platform`
 */
export function holdManifest(
  manifest: BundleManifest,
  {
    file,
    root,
    pins,
    platform,
  }: { readonly file: string; readonly root: string; readonly pins: Pins; readonly platform: string },
): BundlePlatform {
  const values = valuesOf(root, pins)
  const files = [...new Set([...Object.keys(values), ...Object.keys(manifest.values)])]
  const others = [
    ...otherPins(manifest, pins, PINS_FILE),
    ...files
      .filter((one) => values[one] !== manifest.values[one])
      .map((one) => `${one} is not as it was when the bundle was made`),
  ]
  if (others.length > 0)
    throw new BundleError(
      'other-pins',
      `"${file}" was made for another version of this clone: ${others.join('; ')}. Use the clone that it was made with, or make it again: \`npx bulkhead cluster bundle\`.`,
    )
  const found = manifest.platforms.find((one) => one.platform === platform)
  if (found !== undefined) return found
  const has = manifest.platforms.map((one) => one.platform).join(' and ')
  throw new BundleError(
    'other-platform',
    `"${file}" has images for ${has}, and the nodes here are ${platform}. Make one with \`npx bulkhead cluster bundle --platform ${platform}\`.`,
  )
}
