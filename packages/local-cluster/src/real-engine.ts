import * as mesh from '@bulkhead/mesh'
import * as resources from '@bulkhead/resources'
import * as verdict from '@bulkhead/verdict'
import type { Engine } from './engine.js'

const { Mesh } = mesh as unknown as { Mesh: { start: Engine['startMesh'] } }
const { loadManifests, parseManifests } = resources as unknown as {
  loadManifests: Engine['load']
  parseManifests: Engine['parse']
}
const { compile, judge } = verdict as unknown as Pick<Engine, 'compile' | 'judge'>

/** The packages themselves. */
export const realEngine: Engine = {
  load: loadManifests,
  parse: parseManifests,
  compile,
  judge,
  startMesh: (options) => Mesh.start(options),
}
