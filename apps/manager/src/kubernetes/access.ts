import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'

/** What a connection to the API server needs. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  /** For TLS: the authority that is trusted, a certificate of one's own. */
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'>
}

/** Where the Kubernetes API is, and how to be known there and to know it. */
export interface KubernetesAccess {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string
  /** Read anew for each connection: tokens and authorities change. @throws when a file that it needs cannot be read */
  credentials(): Promise<Credentials>
}

/** What Kubernetes mounts into every pod that may have a token. */
export const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The access of a pod: its ServiceAccount's token and its cluster's authority, from the files that the kubelet keeps up to date.
 *
 * @throws RangeError outside a cluster
 */
export function inClusterAccess(
  env: Readonly<Record<string, string | undefined>> = process.env,
  folder: string = SERVICE_ACCOUNT_FOLDER,
): KubernetesAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (!host || !port) {
    throw new RangeError(
      'this is no pod of a cluster (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set): name a kubeconfig file instead',
    )
  }
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    async credentials() {
      const [token, ca] = await Promise.all([readFile(join(folder, 'token'), 'utf8'), readFile(join(folder, 'ca.crt'))])
      return { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } }
    },
  }
}

/**
 * The access that a kubeconfig file gives, by its current context. The client's own reader of it knows every way to log in, and weighs
 * 70 MB and most of a second of start: it is loaded here only, where a person runs the manager from outside a cluster.
 *
 * @throws Error for a file that is none
 */
export async function kubeConfigAccess(path: string): Promise<KubernetesAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config: KubeConfig = new KubeConfig()
  config.loadFromFile(path)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new RangeError(`${JSON.stringify(path)} has no cluster for its current context`)
  return {
    server: server.replace(/\/+$/, ''),
    async credentials() {
      const options: RequestOptions = {}
      await config.applyToHTTPSOptions(options)
      const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, auth } = options
      const headers = Object.fromEntries(
        Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]),
      )
      if (auth) headers.authorization = `Basic ${Buffer.from(auth).toString('base64')}`
      const given = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }
      return { headers, tls: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
    },
  }
}
