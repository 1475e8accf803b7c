import { admissionPieces } from '../../testing/index.js'
import { fuzzSchemas } from '../../testing/schemas.js'

fuzzSchemas({
  name: 'the schemas of policies of admission',
  pieces: admissionPieces,
  kept: [
    { kind: 'MutatingPolicy', spec: { mutations: [{}] } },
    { kind: 'ClusterPolicy', spec: { rules: [{}, {}] } },
    { kind: 'ClusterPolicy', spec: { rules: [{ mutate: { patchesJson6902: '[{}]' } }] } },
    { kind: 'ValidatingAdmissionPolicy', spec: { variables: [{}], auditAnnotations: [{}] } },
  ],
})
