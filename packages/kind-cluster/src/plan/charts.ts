import type { Pins } from '../pins.js'
import type { UnpackedBundle } from './bundled.js'
import type { Commands } from './commands.js'
import type { Action, Step } from './types.js'

/** A chart of the platform, with our values. */
export interface Chart {
  /** The release's name. */
  readonly name: string
  readonly namespace: string
  readonly chart: string
  readonly repository: string
  readonly version: string
  /** Relative to the clone. */
  readonly values: readonly string[]
  /** Beside them, where images come from a bundle. */
  readonly bundleValues?: readonly string[]
  /** The chart itself as a file, in place of the repository. */
  readonly file?: string
}

/** Where Istio has its charts since August 2026; what it has at Google, istio-release.storage.googleapis.com among it, goes in December 2026. */
const istioCharts = 'https://blob.istio.io/istio-release/charts'
const istio = (chart: string, version: string): Chart => ({
  name: `istio-${chart}`,
  namespace: 'istio-system',
  chart,
  repository: istioCharts,
  version,
  values: [`k8s/platform/helm/istio-${chart}.yaml`],
})

export interface Charts {
  readonly cilium: Chart
  readonly base: Chart
  readonly istiod: Chart
  readonly cni: Chart
  readonly ztunnel: Chart
  readonly kyverno: Chart
}

/** The charts; those of a bundle as files, with the values for images that come from files. */
export function chartsFor(pins: Pins, bundle: Pick<UnpackedBundle, 'charts'> | undefined): Charts {
  const charts = chartsOf(pins)
  if (bundle === undefined) return charts
  const here = (chart: Chart): Chart => {
    const file = bundle.charts[chart.name]
    if (file === undefined) throw new RangeError(`the bundle has no chart ${chart.name}`)
    return { ...chart, file, values: [...chart.values, ...(chart.bundleValues ?? [])] }
  }
  const { cilium, base, istiod, cni, ztunnel, kyverno } = charts
  return {
    cilium: here(cilium),
    base: here(base),
    istiod: here(istiod),
    cni: here(cni),
    ztunnel: here(ztunnel),
    kyverno: here(kyverno),
  }
}

export function chartsOf(pins: Pins): Charts {
  return {
    cilium: {
      name: 'cilium',
      namespace: 'kube-system',
      chart: 'cilium',
      repository: 'https://helm.cilium.io',
      version: pins.cilium,
      values: ['k8s/platform/helm/cilium.yaml', 'k8s/platform/helm/cilium-kind.yaml'],
      bundleValues: ['k8s/platform/helm/cilium-bundle.yaml'],
    },
    base: istio('base', pins.istio),
    istiod: istio('istiod', pins.istio),
    cni: istio('cni', pins.istio),
    ztunnel: istio('ztunnel', pins.istio),
    kyverno: {
      name: 'kyverno',
      namespace: 'kyverno',
      chart: 'kyverno',
      repository: 'https://kyverno.github.io/kyverno',
      version: pins.kyverno.chart,
      values: ['k8s/platform/helm/kyverno.yaml'],
    },
  }
}

/** How helm is told which chart to fetch. */
export const sourceOf = ({ chart, repository, version }: Chart): readonly string[] => [
  ...[chart, '--repo', repository, '--version', version],
]

/** The step that installs a chart, or brings it to this version and these values; `after` is waited for beside what helm waits for. */
export function chartStep(
  { helm }: Commands,
  chart: Chart,
  words: Pick<Step, 'title' | 'why'>,
  minutes: number,
  after: readonly Action[] = [],
): Step {
  const { name, namespace } = chart
  const values = chart.values.flatMap((file) => ['--values', file])
  const from = chart.file === undefined ? sourceOf(chart) : [chart.file]
  const upgrade = helm(
    [
      ...['upgrade', '--install', name, ...from],
      ...['--namespace', namespace, '--create-namespace', ...values, '--wait', `--timeout=${minutes}m`],
    ],
    minutes,
  )
  return {
    id: name,
    part: 'platform',
    ...words,
    actions: [{ kind: 'run', command: upgrade }, ...after],
    files: chart.values,
    done: {
      command: helm(['list', '--namespace', namespace, '--filter', `^${name}$`, ...states, '--output', 'json'], 1),
      holds: { kind: 'release', name, namespace, chart: `${chart.chart}-${chart.version}` },
    },
  }
}

/** Helm 3 lists no release that is pending unless it is asked to. */
const states = ['--deployed', '--failed', '--pending'] as const
