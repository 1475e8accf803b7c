import { test } from 'node:test'
import { networkPieces } from '../../testing/index.js'
import { fuzzSchemas } from '../../testing/schemas.js'

const schemas = fuzzSchemas({
  name: 'the schemas of network policies',
  pieces: networkPieces,
  filled: { spec: {} },
})

test('network policies of right and wrong pieces are each answered', (t) => schemas.fuzz(t))

test('what is right is read, so that the wrong pieces are what is refused', () => schemas.checkRight())
