import { existsSync } from 'node:fs'
import path from 'node:path'
import {
  ActionError,
  BundleError,
  type BundleManifest,
  causeOf,
  commandLine,
  forPlace,
  holdManifest,
  makeBundle,
  NPM_CACHE,
  otherSources,
  type Place,
  partsFolder,
  readManifest,
  readPins,
  shellWord,
  ToolError,
  thisMachine,
  type UnpackedBundle,
  unpackBundle,
  unpackedBundle,
} from '@bulkhead/kind-cluster'
import { CliError, type Io, note, print, printable, printJson } from '../io.js'
import type { JsonOption, StateOption } from '../options.js'
import { shownPath, stateDirectory } from '../places.js'
import { RefusedWith } from '../refused.js'
import { type ClusterTools, clusterPlace, clusterTools } from './place.js'
import { nodePlatform } from './plan.js'
import { clock } from './progress.js'

export interface BundleOptions extends JsonOption, StateOption {
  readonly platform?: readonly string[]
}

/** What a test gives instead of this machine and its tools. */
export interface BundleGiven extends ClusterTools {
  readonly freeBytes?: (path: string) => Promise<number | undefined>
}

const freeBytes = thisMachine().freeBytes

/** Where a bundle is made when nobody says another place. */
const defaultFile = (io: Io, { state }: StateOption): string =>
  path.join(stateDirectory(io, state), 'bulkhead-bundle.tar')

/** Makes an archive of everything that a cluster would fetch. */
export async function bundle(
  name: string | undefined,
  options: BundleOptions,
  io: Io,
  given?: BundleGiven,
): Promise<void> {
  const { place, tools } = given ?? clusterTools(io, options)
  const file = name === undefined ? defaultFile(io, options) : path.resolve(io.cwd, name)
  const shown = shownPath(io, file)
  const began = performance.now()
  if (name !== undefined && !existsSync(path.dirname(file)))
    throw new CliError(`there is no folder "${path.dirname(file)}" for the bundle. Is the disk there?`)
  const own = nodePlatform()
  // Docker's older image store keeps one processor's image under a name or a digest: the last one is to be this machine's.
  const platforms = [...new Set(options.platform ?? [own])].sort((a, b) => Number(a === own) - Number(b === own))
  note(io, `What each tool says is in ${shownPath(io, place.log)}. Ctrl-C stops; the same command goes on from there.`)
  const made = await makeBundle({
    ...{ file, place, pins: readPins(place.root), platforms, tools, signal: io.signal },
    freeBytes: given?.freeBytes ?? freeBytes,
    tell: (what, there) =>
      note(io, `${clock(performance.now() - began)}  ${what}${there ? ': it is there already' : ' ...'}`),
  }).catch((error: unknown) => {
    if (io.signal.aborted)
      note(
        io,
        `bulkhead: interrupted; there is no ${shown}. What was fetched is in ${shownPath(io, partsFolder(file))}: the same command goes on with it, and without it you may delete that folder.`,
      )
    throw failed(error)
  })
  const { manifest, bytes, sha256 } = made
  if (options.json === true) printJson(io, { file, bytes, sha256, platforms, files: manifest.files.length })
  else print(io, printable(madeText(shown, made.manifest, bytes)))
  if (!platforms.includes(own))
    note(
      io,
      `Docker may have images for ${platforms.join(' and ')} now under names that a cluster here needs for ${own}. Before an \`up\` here: docker pull --platform ${own} ${readPins(place.root).kind.node}`,
    )
}

function madeText(shown: string, manifest: BundleManifest, bytes: number): string {
  const images = manifest.platforms.map(({ platform, archives }) => {
    const count = archives.reduce((sum, one) => sum + one.images.length, 1)
    return `  ${platform}: ${count} images`
  })
  return [
    `${shown}: ${(bytes / 1024 ** 3).toFixed(1)} GiB, with its checksum in ${shown}.sha256.`,
    ...images,
    `  ${Object.keys(manifest.charts).length} charts, the Gateway API's definitions, npm's cache`,
    '',
    `Take it along with a clone of this version, and Docker, kind, kubectl, helm and Node.js. There, without a network:`,
    ...classroomLines(shown, manifest).map((line) => `  ${line}`),
  ].join('\n')
}

/** What is typed where there is no network: a clone is installed first, since all other commands are in it. */
export function classroomLines(shown: string, { npm }: Pick<BundleManifest, 'npm'>): readonly string[] {
  const file = shellWord(shown)
  return [
    `mkdir -p .bulkhead && tar -xf ${file} -C .bulkhead ${NPM_CACHE}`,
    `npm ci --offline --cache .bulkhead/${NPM_CACHE} --registry ${shellWord(npm.registry)}`,
    'npm run build',
    `npx bulkhead cluster up --bundle ${file}`,
  ]
}

/** Checks a bundle and lays out what a cluster is made from: the first step of `up --bundle`. */
export async function unpack(name: string, options: JsonOption & StateOption, io: Io): Promise<void> {
  const place = clusterPlace(io, options)
  const file = path.resolve(io.cwd, name)
  const { folder, manifest, there } = await unpackBundle({
    ...{ file, place, pins: readPins(place.root), platform: nodePlatform(), freeBytes, signal: io.signal },
  }).catch((error: unknown) => {
    throw failed(error)
  })
  const otherApps = tellOtherApps(file, manifest, place, io)
  if (options.json === true)
    printJson(io, { folder, there, made: manifest.made, files: manifest.files.length, otherApps })
  else
    print(
      io,
      `${shownPath(io, file)} is whole, and for this clone. ${there ? 'It was unpacked already' : 'Unpacked'}: ${shownPath(io, folder)}.`,
    )
}

/** The bundle that a plan is made with, as far as its manifest says: the files themselves are checked by the plan's first step. */
export async function bundleFor(name: string, place: Place, io: Io): Promise<UnpackedBundle> {
  const file = path.resolve(io.cwd, name)
  try {
    const manifest = await readManifest(file)
    const at = { file, root: place.root, pins: readPins(place.root), platform: nodePlatform() }
    const part = holdManifest(manifest, at)
    tellOtherApps(file, manifest, place, io)
    return unpackedBundle(file, place, manifest, part)
  } catch (error) {
    throw failed(error)
  }
}

/**
 * Says which apps of a bundle were built from something else than this clone has. Told and not refused: a change that shows nowhere is one,
 * too, and where there is no network nobody could build others.
 */
function tellOtherApps(file: string, { sources, made }: BundleManifest, place: Place, io: Io): readonly string[] {
  const images = otherSources(sources, place.root, readPins(place.root))
  if (images.length > 0)
    note(
      io,
      printable(
        forPlace(
          `look: ${shownPath(io, file)} (${made}) has apps that were built from other sources than this clone has: ${images.join(', ')}. The cluster will run those of the bundle. For this clone's, make it again where there is a network: \`npx bulkhead cluster bundle\`.`,
          place,
        ),
      ),
    )
  return images
}

/** An error with what its reader can do about it. */
function failed(error: unknown): unknown {
  if (error instanceof BundleError || error instanceof ToolError) return error
  if (error instanceof ActionError) {
    const { command, stdout, stderr } = error.result
    const said = command.secret === true ? [] : `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '')
    return new RefusedWith(
      'step-failed',
      [
        `${error.message}: ${commandLine(command)}`,
        ...said.slice(-15).map((line) => `  ${line}`),
        ...likely(said.join('\n')),
        'What was made so far is kept: the same command goes on there.',
      ].join('\n'),
    )
  }
  const message = error instanceof Error ? error.message : String(error)
  if (message.startsWith('ENOSPC'))
    return new RefusedWith('no-space', [message, ...likely('no space left on device')].join('\n'))
  if (message.startsWith('EFBIG'))
    return new RefusedWith(
      'file-too-large',
      `${message}. That disk takes no file of this size: FAT32, as many sticks have it, ends at 4 GiB, exFAT does not.`,
    )
  return error
}

function likely(text: string): readonly string[] {
  const cause = causeOf(text)
  return cause === undefined ? [] : [`Likely: ${cause.cause}`, ...cause.remedy.map((one) => `  ${one}`)]
}
