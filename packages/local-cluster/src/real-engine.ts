import { diffSnapshots, explain } from '@bulkhead/analysis'
import { createOutside, startMesh } from '@bulkhead/mesh'
import { checkDuplicates, layerOf, loadManifests, ManifestError, parseManifests } from '@bulkhead/resources'
import { compile, gatewayObjects, judge } from '@bulkhead/verdict'
import { admit, compileAdmission } from '@bulkhead/verdict/admission/lazy'
import type { Engine } from './engine.js'

/** The packages themselves. */
export const realEngine: Engine = {
  load: (folders, relativeTo) => loadManifests(folders, { relativeTo }),
  parse(text, file) {
    // A file of k8s/layers belongs to its layer, whichever way it comes.
    const layer = layerOf(file)
    const { resources, diagnostics } = parseManifests(text, file, layer === undefined ? {} : { layer })
    const errors = [...diagnostics, ...checkDuplicates(resources)].filter(({ severity }) => severity === 'error')
    if (errors.length > 0) throw new ManifestError(errors)
    return resources
  },
  compile,
  judge,
  compileAdmission,
  admit,
  made: gatewayObjects,
  explain,
  diff: diffSnapshots,
  startMesh,
  startOutside: createOutside,
}
