/** What a level forbids; privileged forbids nothing. */
export type Level = 'privileged' | 'baseline' | 'restricted'
export type Mode = 'enforce' | 'audit' | 'warn'

const levels: readonly Level[] = ['privileged', 'baseline', 'restricted']

/** A level as one version of Kubernetes has it. Without `minor`: `latest`. */
export interface LevelVersion {
  readonly level: Level
  readonly minor?: number
}

/** What a namespace asks of its pods. */
export type PodSecurity = Readonly<Record<Mode, LevelVersion>>

/** A label whose value the API server does not take. */
export interface BadLabel {
  readonly label: string
  readonly value: string
  readonly must: string
}

export const labelOf = (mode: Mode): string => `pod-security.kubernetes.io/${mode}`

/** `restricted:latest`, `baseline:v1.30` */
export const levelText = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === undefined ? 'latest' : `v1.${minor}`}`

export const sameLevel = (a: LevelVersion, b: LevelVersion): boolean => levelText(a) === levelText(b)

/** Below 0: `a` is less strict. */
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b)

/** Levels where a namespace's labels say none, and the ways of saying it wrong. */
export function defaultsOf(given: Partial<Record<Mode, string>> = {}): PodSecurity {
  const read = (mode: Mode): LevelVersion => {
    const [level = 'privileged', version = 'latest'] = (given[mode] ?? 'privileged').split(':')
    return { level: readLevel(level) ?? 'restricted', ...readVersion(version) }
  }
  return { enforce: read('enforce'), audit: read('audit'), warn: read('warn') }
}

/**
 * What a namespace's labels come to. A wrong value is answered as the API server does: `enforce` is then restricted,
 * the others nothing, a version the latest. Who enforces is also warned of it, unless the labels say otherwise.
 */
export function readLabels(
  labels: Readonly<Record<string, string>>,
  defaults: PodSecurity,
): { readonly policy: PodSecurity; readonly bad: readonly BadLabel[] } {
  const bad: BadLabel[] = []
  const value = (label: string): string | undefined => (Object.hasOwn(labels, label) ? labels[label] : undefined)
  const read = (mode: Mode): LevelVersion => {
    const [name, versionName] = [labelOf(mode), `${labelOf(mode)}-version`]
    const [said, version] = [value(name), value(versionName)]
    let { level, minor } = defaults[mode]
    if (said !== undefined) {
      const known = readLevel(said)
      if (known === undefined) bad.push({ label: name, value: said, must: `must be one of ${levels.join(', ')}` })
      level = known ?? (mode === 'enforce' ? 'restricted' : 'privileged')
    }
    if (version !== undefined) {
      const known = readVersion(version)
      if (known === undefined) bad.push({ label: versionName, value: version, must: 'must be "latest" or "v1.x"' })
      minor = known?.minor
    }
    return { level, ...(minor !== undefined && { minor }) }
  }
  const [enforce, audit, warn] = [read('enforce'), read('audit'), read('warn')]
  const enforces = readLevel(value(labelOf('enforce')) ?? '') !== undefined
  const silent = value(labelOf('warn')) === undefined
  if (!silent || !enforces || compareLevels(enforce.level, warn.level) <= 0)
    return { policy: { enforce, audit, warn }, bad }
  const minor = value(`${labelOf('warn')}-version`) === undefined ? enforce.minor : warn.minor
  return { policy: { enforce, audit, warn: { level: enforce.level, ...(minor !== undefined && { minor }) } }, bad }
}

const readLevel = (text: string): Level | undefined => levels.find((level) => level === text)

function readVersion(text: string): { readonly minor?: number } | undefined {
  if (text === 'latest') return {}
  const minor = /^v1\.(0|[1-9][0-9]*)$/.exec(text)?.[1]
  // What does not fit into an integer of the API server is no version.
  return minor === undefined || Number(minor) > Number.MAX_SAFE_INTEGER ? undefined : { minor: Number(minor) }
}
