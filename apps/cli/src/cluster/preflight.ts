import { examine, findingsJson, readKindConfig, readPins, renderFinding, thisMachine } from '@bulkhead/kind-cluster'
import { type Io, note, printable } from '../io.js'
import { RefusedWith } from '../refused.js'
import type { ClusterTools } from './place.js'

/**
 * What the doctor looks at, before anything is made: a port that is taken or a limit that is too low is told now and not after ten minutes.
 * Only what is not well is shown.
 * @throws RefusedWith, with all that was found, when something stands in the way
 */
export async function preflight({ place, tools }: ClusterTools, io: Io): Promise<void> {
  note(io, 'Looking whether this machine has what a cluster needs ...')
  const { root } = place
  const ground = { place, machine: thisMachine(io.env), pins: readPins(root), config: readKindConfig(root) }
  const findings = await examine(tools, ground, { signal: io.signal, canary: false })
  const plain = (_status: string, word: string): string => word
  for (const finding of findings.filter(({ status }) => status === 'warn' || status === 'fail'))
    note(io, printable(renderFinding(finding, plain)))
  const broken = findings.filter(({ status }) => status === 'fail').length
  if (broken > 0)
    throw new RefusedWith(
      'in-the-way',
      `${broken === 1 ? 'one thing stands' : `${broken} things stand`} in the way, and nothing was made. \`npx bulkhead cluster doctor\` looks again.`,
      { doctor: findingsJson(findings) },
    )
}
