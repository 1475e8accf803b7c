import { z } from 'zod'
import type { Pins } from '../pins.js'
import { BundleError } from './errors.js'

/** The form of a bundle that this version writes and reads. */
export const SCHEMA = 2
/** The first file of every bundle. */
export const MANIFEST = 'manifest.json'
/** The folder in it that `npm ci --offline --cache` takes. */
export const NPM_CACHE = 'npm-cache'
export const MAX_MANIFEST = 16 * 1024 * 1024

/** Below the bundle, without anything that leads out of it: neither on Linux nor on macOS. */
const path = z
  .string()
  .max(300)
  .regex(/^[\w@+=][\w.@+=-]*(\/[\w@+=][\w.@+=-]*)*$/)
  .refine((one) => one !== MANIFEST)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const image = z
  .string()
  .max(300)
  .regex(/^[a-z0-9][\w./:-]*$/)
const text = z.string().max(300)

const schema = z.object({
  schema: z.literal(SCHEMA),
  made: text,
  /** k8s/platform/versions.yaml, as it was. */
  pins: z.record(z.string(), z.unknown()),
  /** The charts' values, by file: which images there are depends on them. */
  values: z.record(text, sha256),
  /** What our apps were built from: by image, a digest of the sources. */
  sources: z.record(image, sha256),
  /** What it was made with. */
  tools: z.record(text, text),
  platforms: z
    .array(
      z.object({
        platform: text,
        node: z.object({ image, file: path }),
        archives: z.array(z.object({ file: path, images: z.array(image).min(1) })).min(1),
      }),
    )
    .min(1),
  /** By the name of the release. */
  charts: z.record(text, path),
  gatewayApi: path,
  npm: z.object({ registry: text }),
  files: z.array(z.object({ path, size: z.number().int().nonnegative(), sha256 })).max(50_000),
})

/** What a bundle has, and what it was made for. */
export type BundleManifest = Readonly<z.infer<typeof schema>>
export type BundlePlatform = BundleManifest['platforms'][number]
export type BundleFile = BundleManifest['files'][number]

/** Reads a manifest. `file` is the bundle, for the message. @throws BundleError `not-a-bundle`, `damaged` */
export function parseManifest(source: string, file: string): BundleManifest {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    throw new BundleError('not-a-bundle', `"${file}" is not a bundle: its ${MANIFEST} is no JSON.`)
  }
  const version = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined
  if (version !== SCHEMA)
    throw new BundleError(
      'not-a-bundle',
      `"${file}" is of schema ${JSON.stringify(version) ?? 'none'}, and this clone reads schema ${SCHEMA}. Make it with this clone: \`npx bulkhead cluster bundle\`.`,
    )
  const { data, error } = schema.safeParse(value)
  const issue = error?.issues[0]
  if (data === undefined)
    throw new BundleError(
      'damaged',
      `"${file}" is not used: its ${MANIFEST} has at ${issue?.path.join('.')}: ${issue?.message}.`,
    )
  holdFiles(data, file)
  return data
}

/** Every file is in it once, also where capitals do not count, none is below another, and all that is named is there. */
function holdFiles({ files, platforms, charts, gatewayApi }: BundleManifest, file: string): void {
  const refuse = (what: string): never => {
    throw new BundleError('damaged', `"${file}" is not used: its ${MANIFEST} ${what}.`)
  }
  const seen = new Set(files.map((one) => one.path.toLowerCase()))
  if (seen.size !== files.length) refuse('names a file twice')
  for (const one of seen)
    for (let at = one.lastIndexOf('/'); at > 0; at = one.lastIndexOf('/', at - 1))
      if (seen.has(one.slice(0, at))) refuse(`has ${one} below a file`)
  const archives = platforms.flatMap((one) => [one.node.file, ...one.archives.map((archive) => archive.file)])
  for (const named of [...archives, ...Object.values(charts), gatewayApi])
    if (!files.some((one) => one.path === named)) refuse(`has no ${named} among its files`)
}

/** Where a bundle's pins are others than the clone's: `cilium is 1.2.3 in the bundle and 1.2.4 in ...`. */
export function otherPins({ pins }: Pick<BundleManifest, 'pins'>, wanted: Pins, pinsFile: string): readonly string[] {
  // Of the tools any will do that is not too old: the doctor looks at them.
  const [there, here] = [leaves({ ...pins, tools: {} }), leaves({ ...wanted, tools: {} })]
  return [...new Set([...there.keys(), ...here.keys()])]
    .filter((key) => there.get(key) !== here.get(key))
    .map(
      (key) =>
        `${key} is ${there.get(key) ?? 'not there'} in the bundle and ${here.get(key) ?? 'not there'} in ${pinsFile}`,
    )
}

function leaves(value: unknown, prefix = ''): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[prefix, String(value)]])
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, prefix === '' ? key : `${prefix}.${key}`)]),
  )
}
