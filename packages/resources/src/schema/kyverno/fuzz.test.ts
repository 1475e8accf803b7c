import { test } from 'node:test'
import { admissionPieces } from '../../testing/index.js'
import { fuzzSchemas } from '../../testing/schemas.js'

const schemas = fuzzSchemas({ name: 'the schemas of policies of admission', pieces: admissionPieces })

test('policies of admission of right and wrong pieces are each answered', (t) => schemas.fuzz(t))

test('what is right is read, so that the wrong pieces are what is refused', () => schemas.checkRight())

test('what once failed is answered', () => {
  schemas.checkKept([
    { kind: 'MutatingPolicy', spec: { mutations: [{}] } },
    { kind: 'ClusterPolicy', spec: { rules: [{}, {}] } },
    { kind: 'ClusterPolicy', spec: { rules: [{ mutate: { patchesJson6902: '[{}]' } }] } },
    { kind: 'ValidatingAdmissionPolicy', spec: { variables: [{}], auditAnnotations: [{}] } },
  ])
})
