import { quote } from '../diagnostics.js'
import { type Fields, isObject, isSet } from '../plain.js'
import { objectMeta } from './metadata.js'
import type { At, ObjectSchema } from './schema.js'
import { boolean, integer, list, map, object, open, string } from './schema.js'

/*
 * argoproj.io/v1alpha1 Application, as Argo CD's CustomResourceDefinition has it. What other tools than Helm, Kustomize
 * and plain folders take is left open.
 */

const helm = object({
  apiVersions: list(string()),
  fileParameters: list(object({ name: string(), path: string() })),
  ignoreMissingValueFiles: boolean,
  kubeVersion: string(),
  namespace: string(),
  parameters: list(object({ forceString: boolean, name: string(), value: string() })),
  passCredentials: boolean,
  releaseName: string(),
  skipCrds: boolean,
  skipSchemaValidation: boolean,
  skipTests: boolean,
  valueFiles: list(string()),
  values: string(),
  valuesObject: open,
  version: string(),
})

const source = object(
  {
    chart: string(),
    directory: object({ exclude: string(), include: string(), jsonnet: open, recurse: boolean }),
    helm,
    kustomize: open,
    name: string(),
    path: string(),
    plugin: open,
    ref: string(),
    repoURL: string({ minLength: 1 }),
    targetRevision: string(),
  },
  { required: ['repoURL'], check: checkSource },
)

/** A chart of a repository of charts, a folder of a repository, or one that others take files from. */
function checkSource(fields: Fields, at: At): void {
  if (isSet(fields.chart) && isSet(fields.path))
    at.at('path').error('application.source', 'a source is a chart or a path, and not both')
  if (!isSet(fields.chart) && !isSet(fields.path) && !isSet(fields.ref))
    at.error('application.source', 'one of path, chart and ref must be set: what of the repository')
  if (isSet(fields.chart) && !isSet(fields.targetRevision))
    at.error('application.source', 'a chart needs targetRevision, its version')
}

const retry = object({
  backoff: object({ duration: string(), factor: integer, maxDuration: string() }),
  limit: integer,
  refresh: boolean,
})

const syncPolicy = object({
  automated: object({ allowEmpty: boolean, enabled: boolean, prune: boolean, selfHeal: boolean }),
  managedNamespaceMetadata: object({ annotations: map(string()), labels: map(string()) }),
  retry,
  syncOptions: list(
    string({
      check: (option, at) => {
        if (!/^[A-Za-z]+=\S+$/.test(option))
          at.error(
            'application.option',
            `${quote(option)} is no option; one is Name=value, such as ServerSideApply=true`,
          )
      },
    }),
  ),
})

const spec: ObjectSchema = object(
  {
    destination: object(
      { name: string(), namespace: string(), server: string() },
      {
        check: ({ name, server }, at) => {
          if (isSet(name) === isSet(server))
            at.error('application.destination', 'exactly one of server and name must be set: which cluster')
        },
      },
    ),
    ignoreDifferences: list(
      object(
        {
          group: string(),
          jqPathExpressions: list(string()),
          jsonPointers: list(string()),
          kind: string(),
          managedFieldsManagers: list(string()),
          name: string(),
          namespace: string(),
        },
        { required: ['kind'] },
      ),
    ),
    info: list(object({ name: string(), value: string() }, { required: ['name', 'value'] })),
    project: string(),
    revisionHistoryLimit: integer,
    source,
    sourceHydrator: open,
    sources: list(source),
    syncPolicy,
  },
  {
    required: ['destination', 'project'],
    check: (fields, at) => {
      const set = ['source', 'sources', 'sourceHydrator'].filter((name) => isSet(fields[name]))
      if (set.length !== 1)
        at.error('application.source', 'exactly one of source, sources and sourceHydrator must be set: what is applied')
    },
  },
)

export const application = object(
  { apiVersion: string(), kind: string(), metadata: objectMeta, operation: open, spec, status: open },
  {
    required: ['metadata', 'spec'],
    check: ({ metadata }, at) => {
      const annotations = isObject(metadata) && isObject(metadata.annotations) ? metadata.annotations : {}
      const wave = annotations['argocd.argoproj.io/sync-wave']
      if (typeof wave === 'string' && !/^-?[0-9]+$/.test(wave))
        at.at('metadata', 'annotations', 'argocd.argoproj.io/sync-wave').error(
          'application.wave',
          `the wave ${quote(wave)} is no whole number`,
        )
    },
  },
)

const kinds = list(object({ group: string(), kind: string() }, { required: ['group', 'kind'] }))
const destination = object({ name: string(), namespace: string(), server: string() })

/** argoproj.io/v1alpha1 AppProject: what its applications may read, and where they may write. */
export const appProject = object(
  {
    apiVersion: string(),
    kind: string(),
    metadata: objectMeta,
    spec: object({
      clusterResourceBlacklist: kinds,
      clusterResourceWhitelist: kinds,
      description: string({ maxLength: 255 }),
      destinationServiceAccounts: open,
      destinations: list(destination),
      namespaceResourceBlacklist: kinds,
      namespaceResourceWhitelist: kinds,
      orphanedResources: open,
      permitOnlyProjectScopedClusters: boolean,
      roles: open,
      signatureKeys: open,
      sourceNamespaces: list(string()),
      sourceRepos: list(string()),
      syncWindows: open,
    }),
    status: open,
  },
  { required: ['metadata', 'spec'] },
)
