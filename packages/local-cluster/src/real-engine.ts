import { checkDuplicates, loadManifests, ManifestError, parseManifests } from '@bulkhead/resources'
import { compile, judge, judgeAt, nextHop } from '@bulkhead/verdict'
import type { Engine } from './engine.js'

const { Mesh } = await import(new URL('../../mesh/dist/mesh.js', import.meta.url).href)
const { createCapture } = await import(new URL('../../mesh/dist/capture/index.js', import.meta.url).href)
const startMesh: Engine['startMesh'] = (options) =>
  Mesh.start(options, {
    judgeAt,
    nextHop,
    makeCapture: (dialer: unknown) => createCapture({ runDir: options.runDir, dialer }),
  })

/** The packages themselves. */
export const realEngine: Engine = {
  load: (folders, relativeTo) => loadManifests(folders, { relativeTo }),
  parse(text, file) {
    const { resources, diagnostics } = parseManifests(text, file)
    const errors = [...diagnostics, ...checkDuplicates(resources)].filter(({ severity }) => severity === 'error')
    if (errors.length > 0) throw new ManifestError(errors)
    return resources
  },
  compile,
  judge,
  startMesh,
}
