import type { Observation } from '@bulkhead/scenarios'
import { symptoms } from '@bulkhead/verdict'
import { z } from 'zod'

const milliseconds = z.number().optional()
const schema = z.object({
  symptom: z.string().refine((name) => Object.hasOwn(symptoms, name)),
  phase: z.enum(['dns', 'connect', 'tls', 'request', 'answer', 'held']),
  timings: z.object({
    dns: milliseconds,
    connect: milliseconds,
    tls: milliseconds,
    firstByte: milliseconds,
    end: milliseconds,
  }),
  bytes: z.number().nonnegative(),
  http: z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.string() }).optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
})

/** Whether what a program in a pod said is an observation, whole: whoever has the pod may say anything, and reports count on every field. */
export const isObservation = (told: unknown): told is Observation => schema.safeParse(told).success
