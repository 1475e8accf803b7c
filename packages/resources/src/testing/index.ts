export { admissionPieces } from './admission-pieces.js'
export { CASES, fuzz, isLong, type Target } from './fuzz.js'
export { gatewayPieces } from './gateway-pieces.js'
export { grown, liveBytes, openHandles } from './held.js'
export { networkPieces } from './network-pieces.js'
export { makePiece, type Piece, type Pieces, without } from './pieces.js'
export { mutate, type Random, randomOf } from './random.js'
export {
  broken,
  inPieces,
  leaving,
  play,
  printScript,
  resetSafely,
  type Script,
  type Step,
  send,
  smallerScript,
} from './script.js'
