import type { Pins } from '../pins.js'
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
}

const istioCharts = 'https://istio-release.storage.googleapis.com/charts'
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

export function chartsOf(pins: Pins): Charts {
  return {
    cilium: {
      name: 'cilium',
      namespace: 'kube-system',
      chart: 'cilium',
      repository: 'https://helm.cilium.io',
      version: pins.cilium,
      values: ['k8s/platform/helm/cilium.yaml', 'k8s/platform/helm/cilium-kind.yaml'],
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
  const upgrade = helm(
    [
      ...['upgrade', '--install', name, chart.chart, '--repo', chart.repository, '--version', chart.version],
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
