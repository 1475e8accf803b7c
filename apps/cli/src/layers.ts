import type { Resource } from '@bulkhead/resources'
import { CliError } from './io.js'

export interface LayerChoice {
  /** Only these: `40-mtls,50`, or `none`. */
  readonly layers?: string
  /** All but these. */
  readonly without?: string
}

/**
 * The objects of the layers that are chosen, and those of no layer. Layers go by their name or by a part of it that only one
 * has (`50`, `identity`), as everywhere.
 * @throws CliError for a layer that is not there, naming those that are
 */
export function chooseLayers({
  layers,
  without,
}: LayerChoice): (resources: readonly Resource[]) => readonly Resource[] {
  if (layers !== undefined && without !== undefined) {
    throw new CliError('--layers and --without say the same in two ways; write one of them.')
  }
  if (layers === undefined && without === undefined) return (resources) => resources
  const named = namesIn(layers ?? without ?? '', layers === undefined ? '--without' : '--layers')
  return (resources) => {
    const there = [...new Set(resources.flatMap(({ layer }) => layer ?? []))].sort()
    const meant = new Set(named.map((name) => findLayer(name, there)))
    return resources.filter(({ layer }) => layer === undefined || meant.has(layer) === (layers !== undefined))
  }
}

function namesIn(text: string, option: string): readonly string[] {
  if (text === 'none') return []
  const names = text.split(',').map((name) => name.trim())
  if (!names.includes('')) return names
  throw new CliError(`${option} ${JSON.stringify(text)} has an empty name; write names with commas between them.`)
}

function findLayer(name: string, layers: readonly string[]): string {
  const close = layers.filter((layer) => layer === name || layer.split('-').includes(name))
  const found = layers.find((layer) => layer === name) ?? (close.length === 1 ? close[0] : undefined)
  if (found !== undefined) return found
  throw new CliError(`there is no layer ${JSON.stringify(name)}; there are ${layers.join(', ') || 'none'}.`)
}
