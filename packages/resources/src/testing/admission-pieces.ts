import { ANY_FIELDS, ANY_VALUES, type Pieces } from './pieces.js'

const FIELDS = [
  ...[
    'matchConstraints',
    'resourceRules',
    'excludeResourceRules',
    'apiGroups',
    'apiVersions',
    'operations',
    'resources',
  ],
  ...['matchConditions', 'variables', 'validations', 'expression', 'message', 'messageExpression', 'mutations'],
  ...['patchType', 'jsonPatch', 'applyConfiguration', 'generate', 'template', 'autogen', 'podControllers'],
  ...['policyRefs', 'policyName', 'validationActions', 'paramRef', 'evaluation', 'webhookConfiguration'],
  ...['rules', 'name', 'match', 'exclude', 'any', 'all', 'kinds', 'selector', 'namespaceSelector', 'preconditions'],
  ...['validate', 'pattern', 'anyPattern', 'deny', 'conditions', 'foreach', 'list', 'mutate', 'patchStrategicMerge'],
  ...[
    'patchesJson6902',
    'context',
    'key',
    'operator',
    'value',
    '=(a)',
    '(a)',
    '^(a)',
    'X(a)',
    '<(a)',
    '+(a)',
    '=(',
    '=((a))',
  ],
]
const VALUES = [
  ...[
    'Pod',
    'pods',
    'CREATE',
    'Deny',
    'Audit',
    'Enforce',
    'Equals',
    'In',
    'JSONPatch',
    '{{ request.object }}',
    '{{{{}}',
  ],
  ...[
    '[{op: add, path: /a, value: 1}]',
    '[{',
    '&a [*a]',
    'object.spec.x',
    '?*',
    '>=1 & <=9 | !5',
    '1-9',
    'a: &a [*a, *a]',
  ],
]

const matchConstraints = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] },
}
const variables = [{ name: 'a', expression: '1' }]
const validations = [{ expression: 'variables.a == 1', message: 'why' }]
const match = { any: [{ resources: { kinds: ['Pod'], selector: { matchLabels: { a: 'b' } } } }] }
const conditions = { all: [{ key: '{{ request.operation }}', operator: 'Equals', value: 'CREATE' }] }
const pattern = { spec: { '=(securityContext)': { '=(a)': true }, containers: [{ '(name)': '?*', image: '*' }] } }

const RIGHT: Readonly<Record<string, { readonly apiVersion: string; readonly spec: object }>> = {
  ValidatingPolicy: {
    apiVersion: 'policies.kyverno.io/v1',
    spec: { matchConstraints, variables, validations, autogen: { podControllers: { controllers: ['deployments'] } } },
  },
  MutatingPolicy: {
    apiVersion: 'policies.kyverno.io/v1',
    spec: { matchConstraints, mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }] },
  },
  GeneratingPolicy: {
    apiVersion: 'policies.kyverno.io/v1',
    spec: { matchConstraints, generate: [{ expression: 'a' }] },
  },
  PolicyException: {
    apiVersion: 'policies.kyverno.io/v1',
    spec: {
      policyRefs: [{ kind: 'ValidatingPolicy', name: 'p' }],
      matchConditions: [{ name: 'a', expression: 'true' }],
    },
  },
  ClusterPolicy: {
    apiVersion: 'kyverno.io/v1',
    spec: {
      rules: [
        { name: 'a', match, preconditions: conditions, validate: { message: 'why', pattern } },
        { name: 'b', match, validate: { foreach: [{ list: 'request.object.spec.containers', deny: { conditions } }] } },
        { name: 'c', match, mutate: { patchesJson6902: '[{op: add, path: /metadata/labels/a, value: b}]' } },
        { name: 'd', match, mutate: { patchStrategicMerge: { metadata: { labels: { '+(a)': 'b' } } } } },
        {
          name: 'e',
          match: { any: [{ resources: { kinds: ['Namespace'] } }] },
          generate: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', data: { data: { a: 'b' } } },
        },
      ],
    },
  },
  ValidatingAdmissionPolicy: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    spec: { matchConstraints, variables, validations },
  },
  ValidatingAdmissionPolicyBinding: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    spec: { policyName: 'p', validationActions: ['Deny'] },
  },
}

/** Policies of admission, Kyverno's in both forms and Kubernetes' own. */
export const admissionPieces: Pieces = {
  words: { fields: [...FIELDS, ...ANY_FIELDS], values: [...ANY_VALUES, ...VALUES] },
  kinds: Object.keys(RIGHT),
  right: (kind) => RIGHT[kind]?.spec,
  manifest: ({ kind, spec }) => ({
    apiVersion: RIGHT[kind]?.apiVersion,
    kind,
    metadata: kind === 'PolicyException' ? { name: 'p', namespace: 'kyverno' } : { name: 'p' },
    spec,
  }),
}
