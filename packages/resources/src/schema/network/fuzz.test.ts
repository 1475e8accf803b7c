import { networkPieces } from '../../testing/index.js'
import { fuzzSchemas } from '../../testing/schemas.js'

fuzzSchemas({ name: 'the schemas of network policies', pieces: networkPieces, filled: { spec: {} } })
