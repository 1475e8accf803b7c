import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

/** What was answered, as far as the document says something of it. */
export interface Answered {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly status: number
  readonly body: unknown
  /** The JSON that was asked with, if any. */
  readonly sent?: unknown
}

interface Operation {
  readonly operationId: string
  readonly description?: string
  readonly security?: readonly object[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** All that the document has, a row each. */
export const operationsOf = ({
  paths,
}: OpenApi): readonly (Operation & { readonly method: string; readonly path: string })[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  )

/** What `default` stands for: bytes that are no proper request, and what comes too fast. A 500 is never right. */
const anyRequest: ReadonlySet<number> = new Set([400, 408, 413, 414, 417, 429, 431])

/** Holds answers against the OpenAPI document: the status is one of the operation's, and the body is what it says. */
export class Documented {
  /** `operationId status`, of all that was asked so far. */
  readonly seen = new Set<string>()
  readonly #document: OpenApi
  readonly #ajv = new Ajv2020({
    strict: false,
    validateSchema: false,
    validateFormats: false,
    allErrors: true,
    code: { optimize: false },
  })
  readonly #checks = new Map<string, ValidateFunction>()
  readonly #paths: readonly { readonly template: string; readonly pattern: RegExp }[]

  constructor(document: OpenApi) {
    this.#document = document
    this.#ajv.addSchema(document, 'document')
    this.#paths = Object.keys(document.paths)
      // Those without parameters first: /users/self is not /users/{id}.
      .sort((a, b) => Number(a.includes('{')) - Number(b.includes('{')))
      .map((template) => ({
        template,
        pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+').replace(/\./g, '\\.')}$`),
      }))
  }

  /** What is wrong with the answer, if something is. */
  problemOf({ method, path, status, body, sent }: Answered): string | undefined {
    const bare = path.split('?')[0] ?? ''
    const what = `${method} ${bare} ${status}`
    const matching = this.#paths.filter(({ pattern }) => pattern.test(bare))
    const here = matching.find(({ template }) => this.#document.paths[template]?.[method.toLowerCase()] !== undefined)
    if (here === undefined) {
      const expected = matching.length === 0 ? 404 : 405
      return status === expected || anyRequest.has(status)
        ? this.#mismatch(what, '/components/schemas/Error', body)
        : `${what}: there is no such operation in the document, and it is no ${expected}`
    }
    const operation = this.#document.paths[here.template]?.[method.toLowerCase()] as Operation
    this.seen.add(`${operation.operationId} ${status}`)
    const response = operation.responses[String(status)]
    if (response === undefined)
      return anyRequest.has(status) && 'default' in operation.responses
        ? this.#mismatch(what, '/components/schemas/Error', body)
        : `${what} (${operation.operationId}): the document has no such status; it answered ${JSON.stringify(body)}`
    const at = ['paths', here.template, method.toLowerCase()]
    const json = ['content', 'application/json', 'schema']
    // Whoever keeps to the document is let in; and nobody is let in who does not, but for what the contract forgives.
    if (status < 300 && operation.requestBody !== undefined && !forgiven(sent)) {
      const problem = this.#mismatch(`${what}: what was sent`, pointerTo([...at, 'requestBody', ...json]), sent)
      if (problem !== undefined) return problem
    }
    if (response.content?.['application/json'] === undefined) return undefined
    return this.#mismatch(what, pointerTo([...at, 'responses', String(status), ...json]), body)
  }

  #mismatch(what: string, pointer: string, body: unknown): string | undefined {
    const check = this.#checks.get(pointer) ?? this.#ajv.compile({ $ref: `document#${pointer}` })
    this.#checks.set(pointer, check)
    if (check(body)) return undefined
    return `${what}: not as the document says: ${this.#ajv.errorsText(check.errors)}; it is ${JSON.stringify(body)}`
  }
}

/** A member that is null is as good as one that is missing, and text is read as far as its first value (contract 1.2). */
const forgiven = (sent: unknown): boolean => typeof sent === 'string' || JSON.stringify(sent)?.includes('null') === true

const pointerTo = (parts: readonly string[]): string => `/${parts.map(escaped).join('/')}`

/** One part of a JSON pointer, as it stands in the fragment of a URI. */
const escaped = (part: string): string => encodeURIComponent(part.replace(/~/g, '~0').replace(/\//g, '~1'))
