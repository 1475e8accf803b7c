import fc from 'fast-check'
import type { Intent } from './types.js'

/** An intent of which a test says what matters to it. */
export const intent = (part: Partial<Intent> = {}): Intent => ({
  podName: 'pod-a',
  podID: 'pod-id-a',
  nodeID: 'node-a',
  k8sNamespace: 'default',
  commandRegex: '',
  priority: 0,
  executionTime: 20_000_000,
  podLabels: {},
  ...part,
})

const word = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?$/)

/** Whatever the schema lets through. */
export const anyIntent: fc.Arbitrary<Intent> = fc.record(
  {
    podName: word,
    podID: word,
    nodeID: word,
    k8sNamespace: word,
    commandRegex: fc.string({ unit: 'grapheme', maxLength: 12 }),
    priority: fc.integer({ min: 0, max: 20 }),
    executionTime: fc.integer({ min: 1_000_000, max: 1_000_000_000 }),
    podLabels: fc.dictionary(word, fc.oneof(word, fc.constant('')), { maxKeys: 4, noNullPrototype: true }),
  },
  { noNullPrototype: true },
)
