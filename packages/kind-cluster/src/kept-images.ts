import type { Place } from './place.js'
import { commandsFor } from './plan/commands.js'
import type { RunOptions, Tools } from './tools.js'

/** Of these images those that Docker has: a try that ended early has built and fetched none. */
export async function keptImages(
  tools: Tools,
  place: Place,
  images: readonly string[],
  options: RunOptions = {},
): Promise<readonly string[]> {
  const { docker } = commandsFor(place)
  const kept: string[] = []
  for (const image of images) {
    const { code } = await tools.run(docker(['image', 'inspect', '--format', '{{.Id}}', image], 1), options)
    if (code === 0) kept.push(image)
  }
  return kept
}
