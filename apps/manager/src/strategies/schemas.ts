import { MAX_REGEX_LENGTH, readCommandRegex } from '@bulkhead/intents'
import { z } from 'zod'
import { missing, saying } from '../http/fields.js'
import { ID_SHAPE, OBJECT_ID, objectId } from '../http/ids.js'
import { nextCursor, pageQuery } from '../http/page.js'
import { isLabelKey, isLabelValue, isNamespaceName } from './label-syntax.js'

const MAX_SELECTORS = 32
const MAX_NAMESPACES = 64
const MILLISECOND = 1_000_000
const SECOND = 1_000_000_000
/** What the original's web page and its scheduler begin with: half way between what may pre-empt and what may not be stronger. */
const DEFAULT_PRIORITY = 10
const DEFAULT_EXECUTION_TIME = 20 * MILLISECOND

const NAMESPACE =
  'must be the name of a namespace: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit'

const PRIORITY = 'must be a whole number from 0, the strongest, to 20'
const EXECUTION_TIME = 'must be nanoseconds, from 1000000 (1 ms) to 1000000000 (1 s)'

const namespace = z.string().refine(isNamespaceName, NAMESPACE)

const selector = z.object({
  key: z
    .string()
    .refine(
      isLabelKey,
      'must be a label’s key: an optional DNS name and a slash, then at most 63 of A-Z, a-z, 0-9, -, _ and .',
    ),
  value: z
    .string()
    .refine(isLabelValue, 'must be a label’s value: at most 63 of A-Z, a-z, 0-9, -, _ and .')
    .default('')
    .describe('Empty: whatever the label says'),
})

const criteria = {
  strategyNamespace: z
    .string()
    .refine((text) => text === '' || isNamespaceName(text), NAMESPACE)
    .default('')
    .describe('Where the strategy belongs; policies may be limited to it'),
  labelSelectors: z
    .array(selector)
    .max(MAX_SELECTORS)
    .default([])
    .describe('Labels that a pod has to have, all of them'),
  k8sNamespace: z.array(namespace).max(MAX_NAMESPACES).default([]).describe('Namespaces of pods; none: all'),
  commandRegex: z
    .string()
    .max(MAX_REGEX_LENGTH)
    .regex(/^\P{Cs}*$/u, 'must be well-formed text')
    .superRefine((text, context) => {
      const regex = text.length > MAX_REGEX_LENGTH ? undefined : readCommandRegex(text)
      if (typeof regex === 'string') context.addIssue({ code: 'custom', message: regex })
    })
    .default('')
    .describe('RE2, found anywhere in the command and args of one of a pod’s containers'),
  priority: z
    .int()
    .min(0, PRIORITY)
    .max(20, PRIORITY)
    .default(DEFAULT_PRIORITY)
    .describe('Lower is stronger; 0 to 9 may pre-empt'),
  executionTime: z
    .int()
    .min(MILLISECOND, EXECUTION_TIME)
    .max(SECOND, EXECUTION_TIME)
    .default(DEFAULT_EXECUTION_TIME)
    .describe('The time slice, in nanoseconds'),
} as const

const narrow = ({
  labelSelectors,
  k8sNamespace,
}: {
  labelSelectors: readonly unknown[]
  k8sNamespace: readonly unknown[]
}): boolean => labelSelectors.length > 0 || k8sNamespace.length > 0

const TOO_WIDE = {
  path: ['labelSelectors'],
  error: 'or k8sNamespace must name something: otherwise it would be every pod of the cluster',
}

export const newStrategy = z.object(criteria).refine(narrow, TOO_WIDE)
export type NewStrategy = z.infer<typeof newStrategy>

const strategyId = z
  .string({ error: missing('STRATEGY_ID_REQUIRED') })
  .min(1, saying('STRATEGY_ID_REQUIRED'))
  .refine((text) => text === '' || OBJECT_ID.test(text), ID_SHAPE)

export const changedStrategy = z.object({ strategyId, ...criteria }).refine(narrow, TOO_WIDE)
export type ChangedStrategy = z.infer<typeof changedStrategy>

export const namedStrategy = z.object({ strategyId })
export const strategyPath = z.object({ id: objectId })

export const strategyQuery = z.object({
  ...pageQuery,
  strategyNamespace: z.string().max(63).optional(),
  k8sNamespace: z.string().max(63).optional().describe('Strategies that name this namespace of pods'),
})
export type StrategyQuery = z.infer<typeof strategyQuery>

/** What became of a strategy that was stored. */
export const strategyReceipt = z.object({
  id: z.string(),
  intents: z.int().describe('Pods that it is for'),
  pushed: z.int().describe('Of these, those whose node’s scheduler knows'),
  pending: z.int().describe('Of these, those whose node’s scheduler does not know yet'),
})
export type StrategyReceipt = z.infer<typeof strategyReceipt>

const time = z.string().describe('RFC 3339, UTC, whole seconds')

export const strategy = z.object({
  id: z.string(),
  strategyNamespace: z.string(),
  labelSelectors: z.array(z.object({ key: z.string(), value: z.string() })),
  k8sNamespace: z.array(z.string()),
  commandRegex: z.string(),
  priority: z.int(),
  executionTime: z.int(),
  version: z.int().describe('For If-Match, in quotation marks'),
  createdTime: time,
  updatedTime: time,
})
export type StrategyView = z.infer<typeof strategy>

export const strategyPage = z.object({ strategies: z.array(strategy), nextCursor })

/** What is left of what was deleted. */
export const emptyData = z.object({})
