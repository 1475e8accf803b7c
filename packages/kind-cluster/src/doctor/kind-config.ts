import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseYaml } from '@bulkhead/resources/yaml'

/** Of kind-config.yaml what the machine has to have free. */
export interface KindConfig {
  /** The doors: ports of this machine that lead to a node's. */
  readonly ports: readonly { readonly address: string; readonly port: number }[]
  /** Addresses of pods and of Services, CIDR. */
  readonly subnets: readonly string[]
}

interface Written {
  readonly networking?: { readonly podSubnet?: string; readonly serviceSubnet?: string }
  readonly nodes?: readonly { readonly extraPortMappings?: readonly Mapping[] }[]
}
interface Mapping {
  readonly hostPort?: number
  readonly listenAddress?: string
}

/** Reads it from a clone. @throws Error that says where it cannot be read */
export function readKindConfig(root: string): KindConfig {
  const { documents, problems, place } = parseYaml(readFileSync(join(root, 'kind-config.yaml'), 'utf8'))
  const [problem] = problems
  if (problem !== undefined) {
    const { line, column } = place(problem.offset)
    throw new Error(`kind-config.yaml:${line}:${column}: ${problem.message}`)
  }
  const written = (documents[0]?.value ?? {}) as Written
  const { podSubnet = '10.244.0.0/16', serviceSubnet = '10.96.0.0/16' } = written.networking ?? {}
  const mappings = (written.nodes ?? []).flatMap(({ extraPortMappings = [] }) => extraPortMappings)
  const ports = mappings.flatMap(({ hostPort, listenAddress = '0.0.0.0' }) =>
    hostPort === undefined ? [] : [{ address: listenAddress, port: hostPort }],
  )
  return { ports, subnets: [podSubnet, serviceSubnet] }
}
