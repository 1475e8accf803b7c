import { readFileSync } from 'node:fs'

/** Characters of a label: whoever scrapes keeps each in memory. */
const MOST = 128

/** `machine_id` of the gauges: MACHINE_ID, else what the machine has in /etc, without the newline behind it. */
export function machineId(given: string | undefined, file = '/etc/machine-id'): string {
  const known = (given ?? readIfThere(file)).trim().slice(0, MOST)
  return known === '' ? 'unknown-machine-id' : known
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
