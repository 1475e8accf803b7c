import { type PinnedTool, wantedVersion } from '../pins.js'
import type { Command } from '../tools.js'
import { causeOf } from './causes.js'
import { howToGet } from './get.js'
import type { Check, Ground, Judgement, Seen } from './types.js'
import { compareVersions, minorsAhead, versionIn } from './versions.js'

const asking = (tool: Command['tool'], ...args: readonly string[]): Command => ({ tool, args, timeoutMs: 20_000 })

/** Asked once, whoever needs it. */
export const kindVersion: Command = asking('kind', 'version')

interface ToolCheck {
  readonly tool: PinnedTool
  readonly command: Command
  /** What it is for. */
  readonly why: string
  /** Used where it is there. */
  readonly optional?: true
  /** More than how old it is; undefined where it will do. */
  readonly more?: (version: string, ground: Ground) => Judgement | undefined
}

const tools: readonly ToolCheck[] = [
  {
    tool: 'buildx',
    command: asking('docker', 'buildx', 'version'),
    why: 'It builds the images of the apps; no registry has them.',
  },
  {
    tool: 'kind',
    command: kindVersion,
    why: 'It makes the cluster out of containers, and puts images on its nodes.',
    more: (version, { pins }) =>
      minorsAhead(version, pins.kind.version) === 0
        ? undefined
        : {
            status: 'warn',
            found: `${version}; the node image was built for ${pins.kind.version}`,
            why: 'kind builds its node images anew with each version, and promises no more than that these two go together.',
          },
  },
  {
    tool: 'kubectl',
    command: asking('kubectl', 'version', '--client', '--output=json'),
    why: 'It applies the manifests, and asks the cluster.',
    more: (version, { pins }) =>
      Math.abs(minorsAhead(version, pins.kubernetes)) <= 1
        ? undefined
        : {
            status: 'warn',
            found: `${version}; the cluster will be ${pins.kubernetes}`,
            why: 'kubectl is made for servers one minor version older or newer, and no further.',
          },
  },
  {
    tool: 'helm',
    command: asking('helm', 'version', '--short'),
    why: 'It installs Cilium, Istio and Kyverno.',
  },
  {
    tool: 'cilium',
    command: asking('cilium', 'version', '--client'),
    why: 'It says how Cilium is; `cluster up` does without.',
    optional: true,
  },
  {
    tool: 'istioctl',
    command: asking('istioctl', 'version', '--remote=false'),
    why: 'It says what ztunnel and the waypoints were told; `cluster up` does without.',
    optional: true,
    more: (version, { pins }) =>
      Math.abs(minorsAhead(version, pins.istio)) <= 1
        ? undefined
        : {
            status: 'warn',
            found: `${version}; Istio will be ${pins.istio}`,
            why: 'More than one minor version apart it misreads.',
          },
  },
]

/** The programs beside Docker itself: there, and neither too old nor too far from what they speak to. */
export function toolChecks(ground: Ground): readonly Check[] {
  return tools.map((tool) => ({
    id: tool.tool,
    asks: `Is ${tool.tool} there, and new enough?`,
    // Of a machine without Docker its plugin is nobody's question.
    ...(tool.tool === 'buildx' && { after: ['docker-client'] }),
    command: tool.command,
    judge: (seen) => judgeTool(tool, seen, ground),
  }))
}

function judgeTool({ tool, why, optional, more }: ToolCheck, seen: Seen, ground: Ground): Judgement {
  const { least } = ground.pins.tools[tool]
  const remedy = howToGet(tool, ground)
  if (seen.kind === 'failed') return { status: optional ? 'warn' : 'fail', found: seen.error.message, why, remedy }
  const version = seen.kind === 'missing' ? undefined : versionIn(seen.result.stdout)
  if (version === undefined) {
    if (seen.kind !== 'missing') return { status: optional ? 'warn' : 'fail', found: saidInstead(seen), why, remedy }
    if (optional) return { status: 'skipped', found: 'not there, and not needed', why, remedy }
    return { status: 'fail', found: 'not there', why, remedy }
  }
  if (compareVersions(version, least) < 0)
    return {
      status: optional ? 'warn' : 'fail',
      found: `${version} is too old: ${least} is the oldest that will do`,
      why,
      remedy,
    }
  const found = more?.(version, ground)
  if (found !== undefined) return { ...found, remedy }
  const wanted = wantedVersion(ground.pins, tool)
  return {
    status: 'ok',
    found: wanted === undefined || wanted === version ? version : `${version} (pinned: ${wanted})`,
  }
}

/** What a program said where a version was to come. */
function saidInstead(seen: Extract<Seen, { kind: 'answered' }>): string {
  const { code, signal, stderr } = seen.result
  const known = causeOf(stderr)
  const line = stderr.trim().split('\n')[0] ?? ''
  const ended = code === undefined ? `ended by ${signal ?? 'a signal'}` : `exit ${code}`
  return known?.cause ?? `does not tell its version (${ended}${line === '' ? '' : `: ${line}`})`
}
