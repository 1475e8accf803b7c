/** The words that verdicts are told in, without the engine that finds them: for who reads or writes verdicts and judges none. */
export { outsideAddress } from './model/outside.js'
export { reasonCodes } from './reasons.js'
export { type Symptom, symptoms } from './symptoms.js'
