import type { Answers, Matcher } from './recording.js'

export interface InspectedOptions {
  readonly label?: string
  readonly running?: boolean
  readonly address?: string
  readonly image?: string
  /** The image that it should be of, where that is asked for beside it. */
  readonly wanted?: string
}

/** What Docker says of the host outside of the cluster, as much as is read of it. */
export function inspected(options: InspectedOptions = {}): string {
  const { label = 'bulkhead', running = true, address = '172.18.0.5', image = 'sha256:1', wanted } = options
  const container = {
    ...{ Id: 'c0ffee', Name: '/bulkhead-outside', Image: image },
    State: { Running: running, Restarting: false },
    Config: { Labels: label === '' ? {} : { 'bulkhead.dev/outside': label } },
    NetworkSettings: { Networks: { kind: { IPAddress: address } } },
  }
  const asked = wanted === undefined ? [] : [{ Id: wanted, RepoTags: ['localhost/bulkhead/probe:0.1.0'] }]
  return `${JSON.stringify([container, ...asked], undefined, 4)}\n`
}

/** A root as it would tell of one. */
export const outsideRoot = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

/** It is there, and ours. */
export const outsideUp: readonly (readonly [Matcher, Answers])[] = [
  ['docker container inspect bulkhead-outside', { stdout: inspected() }],
  [
    'docker logs --tail 1 bulkhead-outside',
    { stdout: `${JSON.stringify({ outside: [{ protocol: 'https', port: 443 }], root: outsideRoot })}\n` },
  ],
]

/** There is nothing of that name. */
export const noOutside: readonly [Matcher, Answers] = [
  'docker container inspect bulkhead-outside',
  { code: 1, stdout: '[]\n', stderr: 'Error response from daemon: No such container: bulkhead-outside\n' },
]
