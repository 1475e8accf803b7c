import type { Observation } from '@bulkhead/scenarios'
import { symptoms } from '@bulkhead/verdict'
import { makeAttempt } from './attempt.js'

/** What a command tells who typed it. */
export interface Told {
  readonly text: string
  /** 0: whoever was called answered as wanted; 1: not. */
  readonly code: 0 | 1
}

/** Long enough for a dropped packet to be given up on the local target; for a datagram nobody gives up but its sender. */
const loginMs = 15_000
const datagramMs = 2000

/**
 * A login at a Postgres or a MongoDB, for people: what psql and mongosh do where there is none, over connections that the
 * mesh carries.
 * @param url `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or `mongodb://...`; without it the environment's DB_HOST,
 *   DB_PORT, DB_USER, DB_PASSWORD and DB_NAME count, as hello-app has them. Without a password it only asks whether
 *   somebody answers.
 * @throws Error for what cannot be read; its message never shows the password
 */
export async function login(url: string | undefined, env: NodeJS.ProcessEnv): Promise<Told> {
  const { kind, host, port, user, password, database } = url === undefined ? ofEnvironment(env) : ofUrl(url)
  const passwordFrom = { secret: '', key: '' } // given below
  const { symptom, detail = {} } = await makeAttempt({
    kind,
    to: { host },
    host,
    port,
    timeoutMs: loginMs,
    ...(password !== undefined && { password, [kind]: { user, database, passwordFrom } }),
  })
  const where = `${host}:${port}`
  if (symptom !== 'ok') return unanswered(where, symptom)
  if (detail.login === true) return { text: `logged in at ${where} as ${user}: ${String(detail.text)}`, code: 0 }
  if (detail.login === false)
    return { text: `${where} answers, and refuses the login: ${String(detail.message)}`, code: 1 }
  if ((kind === 'mongo' ? detail.maxWireVersion : detail.authentication) === undefined)
    return { text: `${where} answers, and is no ${names[kind]}`, code: 1 }
  return { text: `${where} answers, and asks for a password`, code: 1 }
}

const names = { postgres: 'Postgres', mongo: 'MongoDB' } as const
const usualPorts = { postgres: 5432, mongo: 27017 } as const

/**
 * A datagram, and whatever comes back, for people.
 * @param place `HOST:PORT`
 * @throws Error for what is no such place
 */
export async function send(place: string | undefined, text: string): Promise<Told> {
  const [, host = '', port = ''] = /^([^\s:]+):(\d{1,5})$/.exec(place ?? '') ?? []
  if (host === '' || !isPort(Number(port)))
    throw new Error(`${JSON.stringify(place ?? '')} is no place to send to; write HOST:PORT, as in collector:9125`)
  const { symptom, detail } = await makeAttempt({
    kind: 'udp',
    to: { host },
    host,
    port: Number(port),
    send: text,
    timeoutMs: datagramMs,
  })
  if (symptom === 'timeout') return { text: `no answer from ${place} within ${datagramMs / 1000} s`, code: 1 }
  if (symptom !== 'ok') return unanswered(String(place), symptom)
  return { text: String(detail?.text), code: 0 }
}

/** In a terminal's few words; `exec` and `explain` say more. */
function unanswered(where: string, symptom: Observation['symptom']): Told {
  const closed = symptom === 'reset' || symptom === 'late-reset'
  return { text: `no answer from ${where}: ${closed ? 'the connection was closed' : symptoms[symptom].says}`, code: 1 }
}

interface Login {
  readonly kind: 'postgres' | 'mongo'
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password?: string
  readonly database: string
}

function ofUrl(text: string): Login {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^(postgres(ql)?|mongodb):$/.test(url.protocol) || url.hostname === '')
    throw new Error('that is no address of a database; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, or mongodb:')
  const kind = url.protocol === 'mongodb:' ? 'mongo' : 'postgres'
  const user = decodeURIComponent(url.username) || (kind === 'mongo' ? 'admin' : 'postgres')
  return {
    kind,
    host: url.hostname,
    port: url.port === '' ? usualPorts[kind] : Number(url.port),
    user,
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
  }
}

function ofEnvironment({
  DB_HOST,
  DB_PORT = '5432',
  DB_USER = 'postgres',
  DB_PASSWORD,
  DB_NAME,
}: NodeJS.ProcessEnv): Login {
  if (DB_HOST === undefined || DB_HOST === '')
    throw new Error(
      'the environment has no DB_HOST: name the Postgres, as in postgres://USER:PASSWORD@HOST:PORT/DATABASE',
    )
  const port = Number(DB_PORT)
  if (!isPort(port)) throw new Error(`DB_PORT is ${JSON.stringify(DB_PORT)}; it must be a whole number from 1 to 65535`)
  return {
    kind: 'postgres',
    host: DB_HOST,
    port,
    user: DB_USER,
    ...(DB_PASSWORD !== undefined && { password: DB_PASSWORD }),
    database: DB_NAME ?? DB_USER,
  }
}

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65536
