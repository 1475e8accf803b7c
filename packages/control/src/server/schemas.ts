import type { Attempt, AttemptKind, Change } from '@bulkhead/scenarios'
import type { Flow } from '@bulkhead/verdict'
import { z } from 'zod'

/*
 * What requests may hold. A flow and an attempt are checked for their outline; what they name is checked by those who
 * know it (the engine, the target), whose errors say more.
 */

const strings = z.record(z.string(), z.string())
const port = z.number().int().min(0).max(65535)
const outline = z.record(z.string(), z.unknown())
const certificate = z.enum(['none', 'self-signed', 'expired', 'other-domain', 'stolen'])
const kinds = [
  'http',
  'tcp',
  'tls',
  'hbone',
  'postgres',
  'mongo',
  'udp',
  'dns',
  'socket',
  'run',
] as const satisfies readonly AttemptKind[]

const keyOf = z.strictObject({ secret: z.string(), key: z.string() })

export const judgeBody = z.strictObject({
  flow: z.custom<Flow>((value) => outline.safeParse(value).success, 'a flow is an object'),
})

export const attemptBody = z.strictObject({
  from: z.string().min(1),
  attempt: z.strictObject({
    kind: z.enum(kinds),
    to: outline,
    port,
    http: z
      .strictObject({ method: z.string(), path: z.string(), headers: strings.optional(), body: z.string().optional() })
      .optional(),
    tls: z.strictObject({ sni: z.string().optional(), insecure: z.boolean().optional() }).optional(),
    postgres: z
      .strictObject({
        user: z.string().optional(),
        database: z.string().optional(),
        passwordFrom: keyOf,
      })
      .optional(),
    mongo: z
      .strictObject({ user: z.string(), authSource: z.string().optional(), database: z.string(), passwordFrom: keyOf })
      .optional(),
    bearer: z
      .union([
        z.strictObject({
          login: z.strictObject({ secret: z.string(), userKey: z.string(), passwordKey: z.string() }),
        }),
        z.strictObject({ serviceAccountOf: z.string() }),
        z.strictObject({
          assertion: z.strictObject({ key: keyOf, audience: z.string(), subject: z.string(), issuer: z.string() }),
        }),
      ])
      .optional(),
    times: z.number().int().min(1).max(100).optional(),
    dns: z.strictObject({ query: z.string() }).optional(),
    send: z.string().optional(),
    certificate: certificate.optional(),
    as: z.string().optional(),
    hold: z.boolean().optional(),
    again: z.boolean().optional(),
    timeoutMs: z.number().int().min(1).max(120_000).optional(),
  }) as unknown as z.ZodType<Attempt>,
})

const names = z.array(z.string().min(1)).optional()
export const layersBody = z.strictObject({ on: names, off: names })
export const changeBody = z.strictObject({
  objects: z.string().optional(),
  file: z.string().optional(),
  without: names,
}) as unknown as z.ZodType<Change>
export const admitBody = z.strictObject({
  change: changeBody,
  user: z
    .strictObject({ username: z.string().min(1), groups: z.array(z.string()), uid: z.string().exactOptional() })
    .exactOptional(),
})
export const execBody = z.strictObject({ workload: z.string().min(1) })
export const flowsQuery = z.object({ run: z.string().optional(), follow: z.literal('1').optional() })
export const logsQuery = z.object({
  workload: z.string().min(1),
  tail: z.coerce.number().int().min(0).max(100_000).default(100),
  follow: z.literal('1').optional(),
})
