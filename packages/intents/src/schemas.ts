import { z } from 'zod'
import { MAX_REGEX_LENGTH } from './command-regex.js'
import { EXECUTION_TIME, MAX_INTENTS, MAX_LABELS, PRIORITY } from './limits.js'
import { schedulerMetricNames } from './metrics.js'
import type { Intent, SchedulerReport } from './types.js'

/*
 * What one side takes of the other. Names are those of Kubernetes (RFC 1123; labels: syntax and character set), so that no field but the
 * expression can hold what separates the fields of a leaf. Lengths are looked at first: no expression here can go back far.
 */

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/
const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/
const UID = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/

const namespace = z.string().max(63).regex(DNS_LABEL, 'is no name of a namespace')
const name = z.string().max(253).regex(DNS_NAME, 'is no name of Kubernetes')
const uid = z.string().max(128).regex(UID, 'is no UID')

const labelValue = z
  .string()
  .max(63)
  .refine((value) => value === '' || LABEL.test(value), 'is no value of a label')

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/')
  const own = key.slice(slash + 1)
  if (own.length > 63 || !LABEL.test(own)) return false
  return slash === -1 || (slash <= 253 && DNS_NAME.test(key.slice(0, slash)))
}

const labels = z
  .record(z.string(), labelValue)
  .refine((all) => Object.keys(all).length <= MAX_LABELS, `has more than ${MAX_LABELS} labels`)
  .refine((all) => Object.keys(all).every(isLabelKey), 'has a key that is no key of a label')

/** Half of a character: it has no UTF-8, and so no hash of its own. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** An intent as it comes over the wire. Members that are not known are left out; the expression is not compiled (`readCommandRegex`). */
export const intentSchema: z.ZodType<Intent> = z.object({
  podName: name,
  podID: uid,
  nodeID: name,
  k8sNamespace: namespace,
  commandRegex: z
    .string()
    .max(MAX_REGEX_LENGTH)
    .refine((text) => !LONE_SURROGATE.test(text), 'holds half of a character'),
  priority: z.int().min(PRIORITY.min).max(PRIORITY.max),
  executionTime: z.int().min(EXECUTION_TIME.min).max(EXECUTION_TIME.max),
  podLabels: labels,
})

/** Of a set: a later one has a higher one. */
export const versionSchema: z.ZodType<number> = z.int().min(1)

const count = z.int().min(0)

/**
 * A uint64 as JavaScript has it: exact up to 2^53, and to 16 digits above, as Prometheus has all its numbers. Times in nanoseconds since
 * the boot are above it after 104 days.
 */
export const uint64: z.ZodType<number> = z
  .number()
  .min(0)
  .max(2 ** 64)
  .refine(Number.isInteger, 'is no whole number')

/** PUT /api/v1/schedulers/{node} of the manager. */
export const schedulerReportSchema: z.ZodType<SchedulerReport> = z.object({
  podName: name,
  startedAt: z.iso.datetime(),
  setVersion: count,
  rootHash: z.string().regex(/^[0-9a-f]{64}$/, 'is no root: 64 hex digits'),
  intents: count.max(MAX_INTENTS),
  metrics: z.partialRecord(z.enum(schedulerMetricNames), uint64).exactOptional(),
})
