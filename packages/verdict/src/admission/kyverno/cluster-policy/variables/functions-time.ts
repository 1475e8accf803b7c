import { formatDuration, parseDuration } from '../values/duration.js'
import { complain, text } from './arguments.js'
import type { FunctionTable } from './functions.js'

/*
 * Moments in RFC 3339. What asks for the present is not modelled: a verdict is the same whenever it is asked.
 */

interface Moment {
  /** Nanoseconds since 1970, UTC. */
  readonly at: bigint
  /** Minutes east of Greenwich. */
  readonly zone: number
}

const MILLISECOND = 1_000_000n
const syntax = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

export const times: FunctionTable = {
  time_add: [
    2,
    (given) => {
      const { at, zone } = moment('time_add', given, 0)
      return written({ at: at + duration('time_add', given, 1), zone })
    },
  ],
  time_utc: [1, (given) => written({ at: moment('time_utc', given, 0).at, zone: 0 })],
  time_diff: [2, (given) => formatDuration(moment('time_diff', given, 1).at - moment('time_diff', given, 0).at)],
  time_before: [2, (given) => moment('time_before', given, 0).at < moment('time_before', given, 1).at],
  time_after: [2, (given) => moment('time_after', given, 0).at > moment('time_after', given, 1).at],
  time_between: [
    3,
    (given) => {
      const { at } = moment('time_between', given, 0)
      return at > moment('time_between', given, 1).at && at < moment('time_between', given, 2).at
    },
  ],
  time_truncate: [
    2,
    (given) => {
      const { at, zone } = moment('time_truncate', given, 0)
      const step = duration('time_truncate', given, 1)
      if (step <= 0n) return written({ at, zone })
      // Go counts from the year 1, not from 1970.
      const since = at + 62_135_596_800n * 1_000_000_000n
      return written({ at: at - (((since % step) + step) % step), zone })
    },
  ],
  time_to_cron: [
    1,
    (given) => {
      const local = localDate(moment('time_to_cron', given, 0))
      return [
        local.getUTCMinutes(),
        local.getUTCHours(),
        local.getUTCDate(),
        local.getUTCMonth() + 1,
        local.getUTCDay(),
      ].join(' ')
    },
  ],
}

function moment(name: string, given: readonly unknown[], index: number): Moment {
  const from = text(name, given, index)
  const found = syntax.exec(from)
  if (found === null) return complain(name, `cannot parse ${JSON.stringify(from)} as a time of RFC 3339`)
  const [, year, month, day, hour, minute, second, fraction = '', sign, east = '0', minutes = '0'] = found
  const zone = (Number(east) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  const milliseconds = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute) - zone,
    Number(second),
  )
  return { at: BigInt(milliseconds) * MILLISECOND + BigInt(fraction.padEnd(9, '0')), zone }
}

function duration(name: string, given: readonly unknown[], index: number): bigint {
  const from = text(name, given, index)
  return parseDuration(from) ?? complain(name, `time: invalid duration ${JSON.stringify(from)}`)
}

function localDate({ at, zone }: Moment): Date {
  return new Date(Number(at / MILLISECOND) + zone * 60_000)
}

function written(one: Moment): string {
  const local = localDate(one)
  if (Number.isNaN(local.getTime())) return complain('time', 'outside of the years that there are')
  const [hours, minutes] = [Math.floor(Math.abs(one.zone) / 60), Math.abs(one.zone) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  const zone = one.zone === 0 ? 'Z' : `${one.zone < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`
  return `${local.toISOString().slice(0, 19)}${zone}`
}
