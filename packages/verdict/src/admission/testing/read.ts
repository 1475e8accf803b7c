import { type KubernetesObject, parseManifests, type Resource } from '@bulkhead/resources'
import { admit } from '../admit.js'
import { compileAdmission } from '../compile.js'
import type { Admission, AdmissionOptions, AdmissionRequest } from '../types.js'

/** Test code: objects of YAML text, with the places that they have in it. Throws for what is no good manifest. */
export function objects(text: string, file = 'file.yaml'): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(text, file)
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error')
  if (mistakes.length > 0) throw new Error(mistakes.map(({ message, at }) => `${at.line}: ${message}`).join('\n'))
  return resources
}

export interface Asking extends Omit<AdmissionRequest, 'object' | 'operation' | 'oldObject'> {
  readonly operation?: AdmissionRequest['operation']
  /** YAML of what was there. */
  readonly old?: string
  readonly options?: AdmissionOptions
}

/** What is said of the first object of a text, where the objects of another are in force. */
export function asked(inForce: string, object: string, { options, old, operation, ...more }: Asking = {}): Admission {
  const [given] = objects(object, 'object.yaml')
  if (given === undefined) throw new Error('there is no object in the text')
  const oldObject: KubernetesObject | undefined = old === undefined ? undefined : objects(old)[0]?.object
  return admit(
    {
      operation: operation ?? (oldObject === undefined ? 'CREATE' : 'UPDATE'),
      object: given,
      ...(oldObject !== undefined && { oldObject }),
      ...more,
    },
    compileAdmission(objects(inForce), options),
  )
}
