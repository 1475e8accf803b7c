import { type PinnedTool, wantedVersion } from '../pins.js'
import type { Ground } from './types.js'

/*
 * How a program is got, on each kind of machine: the version that is pinned, from where its makers put it.
 */

type Way = (version: string, arch: string) => string

const unpack =
  (url: Way, inside: string, name: string): Way =>
  (version, arch) =>
    `\`curl -fsSL ${url(version, arch)} | tar xz ${inside.replace('ARCH', arch)} && sudo install ${inside.replace('ARCH', arch)} /usr/local/bin/${name}\``

const download =
  (url: Way, name: string): Way =>
  (version, arch) =>
    `\`curl -fsSLo ${name} ${url(version, arch)} && sudo install ${name} /usr/local/bin/${name}\``

/** On Linux, in WSL as well. */
const onLinux: Partial<Record<PinnedTool, Way>> = {
  kind: download((version, arch) => `https://kind.sigs.k8s.io/dl/v${version}/kind-linux-${arch}`, 'kind'),
  kubectl: download((version, arch) => `https://dl.k8s.io/release/v${version}/bin/linux/${arch}/kubectl`, 'kubectl'),
  helm: unpack(
    (version, arch) => `https://get.helm.sh/helm-v${version}-linux-${arch}.tar.gz`,
    'linux-ARCH/helm',
    'helm',
  ),
  cilium: unpack(
    (version, arch) => `https://github.com/cilium/cilium-cli/releases/download/v${version}/cilium-linux-${arch}.tar.gz`,
    'cilium',
    'cilium',
  ),
  istioctl: unpack(
    (version, arch) =>
      `https://github.com/istio/istio/releases/download/${version}/istioctl-${version}-linux-${arch}.tar.gz`,
    'istioctl',
    'istioctl',
  ),
}

const brewed: Partial<Record<PinnedTool, string>> = { kubectl: 'kubernetes-cli', cilium: 'cilium-cli' }

const docker = {
  linux: ['Install Docker Engine with buildx from its own packages: https://docs.docker.com/engine/install/'],
  macos: [
    'Install Docker Desktop (https://docs.docker.com/desktop/setup/install/mac-install/), or another engine with 8 GiB: `colima start --cpu 4 --memory 8 --disk 60`.',
  ],
  wsl: [
    'Install Docker Desktop in Windows and switch on Settings, Resources, WSL integration for this distribution; or Docker Engine in WSL itself: https://docs.docker.com/engine/install/',
  ],
}

/** What to do to have a tool, or to have a newer one. */
export function howToGet(tool: PinnedTool, { machine, pins }: Pick<Ground, 'machine' | 'pins'>): readonly string[] {
  if (tool === 'docker' || tool === 'buildx') return docker[machine.platform]
  const version = wantedVersion(pins, tool) ?? pins.tools[tool].least
  if (machine.platform === 'macos')
    return [
      `\`brew install ${brewed[tool] ?? tool}\`, and then at least ${pins.tools[tool].least}; ${version} is what is pinned.`,
    ]
  const way = onLinux[tool]
  return way === undefined ? [] : [way(version, machine.arch)]
}
