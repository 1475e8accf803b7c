/** What clients read first: which API this is. */
export const version = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.0-bulkhead',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: `${process.platform}/${process.arch}`,
}

const verbs = ['get', 'list', 'watch']

const documents: Readonly<Record<string, object>> = {
  '/version': version,
  '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [
      { name: 'nodes', singularName: 'node', namespaced: false, kind: 'Node', verbs, shortNames: ['no'] },
      {
        name: 'pods',
        singularName: 'pod',
        namespaced: true,
        kind: 'Pod',
        verbs,
        shortNames: ['po'],
        categories: ['all'],
      },
    ],
  },
}

/** What there is at a path that is no resource's: a document, or the word of a health check. */
export function pathDocument(path: string): object | string | undefined {
  const bare = path.length > 1 ? path.replace(/\/+$/, '') : path
  if (['/healthz', '/livez', '/readyz'].includes(bare)) return 'ok'
  return Object.hasOwn(documents, bare) ? documents[bare] : undefined
}
