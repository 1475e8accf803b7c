import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { Container, PodSpec } from '@bulkhead/resources'
import { dataOf, fieldRef, MissingReference, type PodContext } from './env.js'
import type { TokenFile } from './kube-api/token-files.js'
import type { PlannedContainer, PodPlan } from './plan.js'

interface Item {
  readonly key?: string
  readonly path: string
  readonly fieldRef?: { readonly fieldPath: string }
}
interface KeyedSource {
  readonly name?: string
  readonly secretName?: string
  readonly items?: readonly Item[]
  readonly optional?: boolean
}
interface VolumeSource {
  readonly hostPath?: { readonly path?: string }
  readonly emptyDir?: object
  readonly configMap?: KeyedSource
  readonly secret?: KeyedSource
  readonly downwardAPI?: { readonly items?: readonly Item[] }
  readonly serviceAccountToken?: {
    readonly path?: string
    readonly audience?: string
    readonly expirationSeconds?: number
  }
  readonly projected?: { readonly sources?: readonly VolumeSource[] }
}

/** Where volumes are. */
export interface Places {
  /** The pod's own. */
  readonly folder: string
  /** What stays when a pod goes. */
  readonly data: string
  /** A node's /proc. Absent: it is as other paths of the host. */
  readonly procOf?: ((node: string) => string) | undefined
}

/** A value of the environment that was pointed to the pod's folder, since nothing can be mounted without root. */
export interface Rewritten {
  readonly container: string
  readonly name: string
  readonly from: string
  readonly to: string
}

/**
 * Makes the pod's volumes as folders and returns where each is: under `folder`, but for claims, which are under `data` and
 * stay when the pod goes, and the node's /proc, which `procOf` knows. Other paths of the host are empty folders, since the
 * machine's own are nobody's business here; `tokenFiles` says which tokens are to be put into them.
 *
 * @throws MissingReference, its path from the pod's spec.
 */
export function makeVolumes(
  { spec, context, claims }: Pick<PodPlan, 'spec' | 'context' | 'claims'>,
  { folder, data, procOf }: Places,
): ReadonlyMap<string, string> {
  const made = new Map<string, string>()
  for (const [volume, claim] of claims) {
    const at = join(data, context.pod.namespace, claim)
    mkdirSync(at, { recursive: true, mode: 0o700 })
    made.set(volume, at)
  }
  spec.volumes?.forEach((volume, index) => {
    if (made.has(volume.name)) return
    const source = volume as VolumeSource
    if (procOf !== undefined && isProc(source)) {
      made.set(volume.name, procOf(context.pod.node))
      return
    }
    const at = join(folder, volume.name)
    mkdirSync(at, { recursive: true, mode: 0o700 })
    const path = ['volumes', index]
    fill(at, source, context, path)
    source.projected?.sources?.forEach((part, n) => {
      fill(at, part, context, [...path, 'projected', 'sources', n])
    })
    made.set(volume.name, at)
  })
  return made
}

const isProc = ({ hostPath }: VolumeSource): boolean => normalize(`${hostPath?.path ?? ''}/`) === '/proc/'

/** Paths of the host that are empty folders here, each with the volume's name. */
export function emptyHostPaths({
  volumes = [],
}: PodSpec): readonly { readonly volume: string; readonly path: string }[] {
  return volumes.flatMap((volume) => {
    const { hostPath } = volume as VolumeSource
    return hostPath === undefined || isProc({ hostPath }) ? [] : [{ volume: volume.name, path: hostPath.path ?? '' }]
  })
}

function fill(folder: string, source: VolumeSource, context: PodContext, path: readonly (string | number)[]): void {
  for (const [kind, field] of [
    ['ConfigMap', 'configMap'],
    ['Secret', 'secret'],
  ] as const) {
    const keyed = source[field]
    const name = keyed?.name ?? keyed?.secretName
    if (keyed === undefined || name === undefined) continue
    const data = dataOf(kind, name, context)
    if (data === undefined && keyed.optional === true) continue
    if (data === undefined)
      throw new MissingReference(
        [...path, field],
        `there is no ${kind} ${JSON.stringify(name)} in namespace ${context.pod.namespace}`,
      )
    const items = keyed.items ?? Object.keys(data).map((key) => ({ key, path: key }))
    for (const item of items) {
      const value = data[item.key ?? '']
      if (value === undefined)
        throw new MissingReference(
          [...path, field, 'items'],
          `${kind}/${context.pod.namespace}/${name} has no key ${JSON.stringify(item.key)}`,
        )
      write(folder, item.path, value, path)
    }
  }
  for (const item of source.downwardAPI?.items ?? []) {
    write(folder, item.path, fieldRef(item.fieldRef?.fieldPath ?? '', context) ?? '', path)
  }
}

/** The tokens that the volumes ask for, each with its file; `folder` is that of `makeVolumes`, and has been made. */
export function tokenFiles({ volumes = [] }: PodSpec, folder: string): readonly TokenFile[] {
  return volumes.flatMap((volume, index) =>
    ((volume as VolumeSource).projected?.sources ?? []).flatMap(({ serviceAccountToken: token }, n) => {
      if (token === undefined) return []
      const { path = 'token', audience, expirationSeconds } = token
      const file = placeOf(join(folder, volume.name), path, ['volumes', index, 'projected', 'sources', n])
      return [
        {
          file,
          ...(audience !== undefined && { audience }),
          ...(expirationSeconds !== undefined && { expirationSeconds }),
        },
      ]
    }),
  )
}

function write(folder: string, name: string, value: string, path: readonly (string | number)[]): void {
  writeFileSync(placeOf(folder, name, path), value, { mode: 0o600 })
}

/** The file of that path in a volume; its folder is there then. */
function placeOf(folder: string, name: string, path: readonly (string | number)[]): string {
  // A path may lead into a sub-folder, and nowhere else (Kubernetes refuses ".." and absolute paths too).
  if (name === '' || name.startsWith('/') || normalize(name).split('/').includes('..')) {
    throw new MissingReference(path, `the path ${JSON.stringify(name)} leads out of the volume`)
  }
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  return file
}

/** The folders that an image has a volume for, where its container mounts nothing: by their path in the image. */
export function imageVolumes({ spec, image }: PlannedContainer, folder: string): ReadonlyMap<string, string> {
  const mounted = new Set((spec.volumeMounts ?? []).map(({ mountPath }) => mountPath.replace(/\/+$/, '')))
  const made = new Map<string, string>()
  for (const [index, path] of (image.volumes ?? []).entries()) {
    if (mounted.has(path)) continue
    const at = join(folder, spec.name, String(index))
    mkdirSync(at, { recursive: true, mode: 0o700 })
    made.set(path, at)
  }
  return made
}

/** Values that begin with a mountPath, pointed to the folder that stands for it. The rest is left alone. */
export function pointToVolumes(
  env: Readonly<Record<string, string>>,
  container: Container,
  volumes: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, string> = new Map(),
): { readonly env: Record<string, string>; readonly rewritten: readonly Rewritten[] } {
  const mounts: { readonly at: string; readonly to: string | undefined }[] = [
    ...(container.volumeMounts ?? []).map(({ mountPath, name }) => ({
      at: mountPath.replace(/\/+$/, ''),
      to: volumes.get(name),
    })),
    ...[...own].map(([at, to]) => ({ at, to })),
  ]
  // The longest mount path first: /data/cache is not /data.
  mounts.sort((a, b) => b.at.length - a.at.length)
  const out: Record<string, string> = { ...env }
  const rewritten: Rewritten[] = []
  for (const [name, value] of Object.entries(env)) {
    const mount = mounts.find(({ at }) => at !== '' && (value === at || value.startsWith(`${at}/`)))
    if (mount?.to === undefined) continue
    const to = `${mount.to}${value.slice(mount.at.length)}`
    out[name] = to
    rewritten.push({ container: container.name, name, from: value, to })
  }
  return { env: out, rewritten }
}
