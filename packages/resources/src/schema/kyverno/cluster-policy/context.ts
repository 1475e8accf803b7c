import { quote } from '../../../diagnostics.js'
import { type Fields, isSet } from '../../../plain.js'
import type { At } from '../../schema.js'
import { boolean, list, object, open, string } from '../../schema.js'

/* Variables of a rule: where their values come from. Source: Kyverno's CustomResourceDefinitions and its webhook for policies. */

const pair = (value: typeof open) => object({ key: string(), value }, { required: ['key', 'value'] })

const SOURCES = ['configMap', 'apiCall', 'imageRegistry', 'variable', 'globalReference']
const TAKEN = ['images', 'request', 'serviceAccountName', 'serviceAccountNamespace', 'element', 'elementIndex']

function checkEntry(entry: Fields, at: At): void {
  const sources = SOURCES.filter((name) => isSet(entry[name]))
  if (sources.length !== 1)
    at.error(
      'context.source',
      `exactly one of ${SOURCES.join(', ')} must be set: where the variable's value comes from`,
    )
  const { name } = entry
  if (name === '') at.at('name').error('value.empty', 'a variable needs a name, and this is empty')
  const taken = TAKEN.find((one) => name === one || (typeof name === 'string' && name.startsWith(`${one}.`)))
  if (taken !== undefined)
    at.at('name').error('context.name', `${quote(name)} is Kyverno's own (${taken}); give the variable another name`)
}

export const context = list(
  object(
    {
      apiCall: object({
        data: list(pair(open)),
        default: open,
        jmesPath: string(),
        method: string({ oneOf: ['GET', 'POST'] }),
        service: object({ caBundle: string(), headers: list(pair(string())), url: string() }, { required: ['url'] }),
        urlPath: string(),
      }),
      configMap: object({ name: string(), namespace: string() }, { required: ['name'] }),
      globalReference: object({ jmesPath: string(), name: string() }, { required: ['name'] }),
      imageRegistry: object(
        {
          imageRegistryCredentials: object({
            allowInsecureRegistry: boolean,
            providers: list(string({ oneOf: ['default', 'amazon', 'azure', 'google', 'github'] })),
            secrets: list(string()),
          }),
          jmesPath: string(),
          reference: string(),
        },
        { required: ['reference'] },
      ),
      name: string(),
      variable: object({ default: open, jmesPath: string(), value: open }),
    },
    { required: ['name'], check: checkEntry },
  ),
)
