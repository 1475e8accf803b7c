import {
  type Address,
  type ConfigValues,
  logSettings,
  type ReadConfig,
  readConfig,
  settings,
  shutdownSettings,
} from '@bulkhead/service-kit'
import { readImage } from './description/image.js'

const { address, setting, splitList } = settings

export const shape = {
  LISTEN_ADDR: address('0.0.0.0:8080'),
  /** Which images may be named: repositories, or whole names. Admission refuses others, so they are not written down at all. */
  ALLOWED_IMAGES: setting(readImages),

  ...logSettings,
  ...shutdownSettings,
}

export type GeneratorConfig = ConfigValues<typeof shape>

/** @throws ConfigError with every bad value */
export const readGeneratorConfig = (
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReadConfig<typeof shape> => readConfig(shape, env)

export type { Address }

function readImages(text: string): readonly string[] {
  const images = splitList(text)
  if (images.length === 0) throw new RangeError('it must name at least one image')
  for (const image of images)
    if (readImage(image) === undefined) throw new RangeError(`${JSON.stringify(image)} is no image’s name`)
  return images
}
