import {
  type DoctorGround,
  examine,
  findingsJson,
  type Paint,
  readKindConfig,
  readPins,
  renderFinding,
  summaryOf,
  thisMachine,
} from '@bulkhead/kind-cluster'
import { CliError, type Io, print, printable, printJson } from '../io.js'
import type { JsonOption, StateOption } from '../options.js'
import { styleOf } from '../style.js'
import { type ClusterTools, clusterTools } from './place.js'

export interface DoctorOptions extends JsonOption, StateOption {
  /** Asks the registries, too. */
  readonly registries?: boolean
  /** `--no-canary`: false. */
  readonly canary?: boolean
}

/** What a test gives instead of this machine and its tools. */
export interface DoctorGiven extends ClusterTools {
  readonly machine: DoctorGround['machine']
}

/** Is there what a cluster needs? Each thing as it is found; 1 when something stands in the way. */
export async function doctor(options: DoctorOptions, io: Io, given?: DoctorGiven): Promise<void> {
  const { place, tools } = given ?? clusterTools(io, options)
  const machine = given?.machine ?? thisMachine(io.env)
  const ground: DoctorGround = { place, machine, ...readFiles(place.root) }
  const { signal } = io
  const paint = paintOf(io)
  const show = (text: string): void => print(io, printable(text, 'colours'))
  const findings = await examine(tools, ground, {
    signal,
    ...(options.registries === true && { registries: true }),
    ...(options.canary === false && { canary: false }),
    ...(options.json !== true && { onFinding: (finding) => show(renderFinding(finding, paint)) }),
  })
  if (options.json === true) printJson(io, findingsJson(findings))
  else show(`\n${summaryOf(findings)}`)
  if (findings.some(({ status }) => status === 'fail')) io.exit(1)
}

function readFiles(root: string): Pick<DoctorGround, 'pins' | 'config'> {
  try {
    return { pins: readPins(root), config: readKindConfig(root) }
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error))
  }
}

function paintOf(io: Io): Paint {
  const style = styleOf(io)
  return (status, word) => {
    if (status === 'fail') return style.red(word)
    if (status === 'warn') return style.yellow(word)
    return status === 'ok' ? style.green(word) : style.dim(word)
  }
}
