import {
  forPlace,
  type Place,
  type Plan,
  planJson,
  readFacts,
  readPins,
  renderPlan,
  type UnpackedBundle,
  upPlan,
} from '@bulkhead/kind-cluster'
import { type Io, printJson } from '../io.js'
import type { JsonOption } from '../options.js'

/** What the nodes are on this machine: containers of its own processor, whatever the system around them is. */
export const nodePlatform = (arch: string = process.arch): string => `linux/${arch === 'x64' ? 'amd64' : arch}`

/** The plan for a clone. No tool is needed for it. @throws PinsError, ManifestError */
export async function planFor(place: Place, bundle?: UnpackedBundle): Promise<Plan> {
  const { root } = place
  const facts = await readFacts(root)
  return upPlan({ place, pins: readPins(root), platform: nodePlatform(), facts, ...(bundle && { bundle }) })
}

/** What is said around a plan's steps. */
export interface Around {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export function printPlan(plan: Plan, place: Place, around: Around, { json }: JsonOption, io: Io): void {
  const whole = (texts: readonly string[]): readonly string[] => texts.map((text) => forPlace(text, place))
  if (json === true) printJson(io, planJson(plan, place.root))
  // Not fitted to the terminal: a command line that was broken by it could not be pasted.
  else io.stdout.write(renderPlan(plan, place.root, { before: whole(around.before), after: whole(around.after) }))
}

export const aroundUp: Around = {
  before: [
    'What `npx bulkhead cluster up` does, step by step. It runs these very lines; typed into a shell in this clone, in this order, they make the same cluster without it.',
    'Needed: Docker, kind, kubectl and helm (`npx bulkhead cluster doctor` looks after them), and for the lines that begin with npx a clone that is built: `npm ci`, then `npm run build`. Every line says which cluster it means, by a kubeconfig of its own: yours is neither read nor written.',
    'In a shell where variables are set that begin with HELM_KUBE or HELM_DRIVER, `unset` them first: helm takes an address and a token from them, whatever file it is given. `cluster up` gives them to no tool.',
    'What enforces comes before what it enforces, each wall before what is behind it, and the workloads last, so that nothing is open for a moment.',
  ],
  after: [
    'A line that failed can be typed again, and so can all before it but `kind create` and `docker run`, whose names are taken then. `npx bulkhead cluster status` says what is there, `npx bulkhead cluster down` takes it all away.',
  ],
}

/** The same, for a plan that has everything from a bundle. */
export const aroundBundle: Around = {
  before: [
    ...aroundUp.before.map((text) => text.replace('cluster up`', 'cluster up --bundle FILE`')),
    'Everything that would be fetched comes out of the bundle: no line needs a network. A clone that is not installed yet takes its packages from it too, before all of this; docs/cluster.md has the lines.',
  ],
  after: [
    ...aroundUp.after,
    'What was unpacked is in .bulkhead/kind/bundle and may be deleted once all is up; `up` does that itself.',
  ],
}

export const aroundDown: Around = {
  before: [
    'What `npx bulkhead cluster down` does, once it has made sure that the cluster is the one that was made here. Afterwards it deletes what it keeps of it on this machine.',
  ],
  after: [],
}
