import type { IncomingMessage, ServerResponse } from 'node:http'
import { kitErrors, type ServiceOptions, send } from '@bulkhead/service-kit'
import { InvalidDescription, nameOf } from '../description/problems.js'
import { readDescription } from '../description/read.js'
import { generate } from '../generate/generate.js'
import { type ManifestFile, type Part, parts } from '../generate/objects.js'
import { writeFiles } from '../yaml/write.js'
import { readJson } from './body.js'

const JSON_TYPE = 'application/json; charset=utf-8'
const YAML_TYPE = 'application/yaml; charset=utf-8'

export const formats = ['json', 'yaml'] as const
type Format = (typeof formats)[number]

/** POST /v1/manifests: a description in, its manifests out. */
export function manifestRoutes(
  app: Parameters<ServiceOptions['routes']>[0],
  allowed: (image: string) => boolean,
): void {
  app.post('/v1/manifests', async (request, response) => {
    const { format, part } = readQuery(request.query)
    const wanted = format ?? accepted(request)
    const all = generate(readDescription(await readJson(request), allowed))
    const files = part === undefined ? all : all.filter((file) => file.part === part)
    answer(response, wanted, files)
  })
}

function answer(response: ServerResponse, format: Format, files: readonly ManifestFile[]): void {
  response.setHeader('vary', 'accept')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  if (format === 'yaml') send(response, 200, YAML_TYPE, writeFiles(files))
  else send(response, 200, JSON_TYPE, JSON.stringify(listOf(files)))
}

/** As kubectl takes it: `kubectl apply -f -`. */
const listOf = (files: readonly ManifestFile[]) => ({
  apiVersion: 'v1',
  kind: 'List',
  items: files.flatMap(({ objects }) => objects),
})

const members = ['format', 'part'] as const

interface Query {
  readonly format?: Format
  readonly part?: Part
}

/** @throws InvalidDescription for what is not there to be chosen */
function readQuery(query: Readonly<Record<string, unknown>>): Query {
  const unknown = Object.keys(query).filter((name) => !members.some((member) => member === name))
  if (unknown.length > 0)
    throw new InvalidDescription(
      unknown.map((name) => ({
        field: nameOf([name]),
        message: `the query has no such member; it may have ${members.join(' and ')}`,
      })),
    )
  const choose = <T extends string>(name: (typeof members)[number], among: readonly T[]): T | undefined => {
    const value = query[name]
    if (value === undefined) return undefined
    const found = among.find((one) => one === value)
    if (found === undefined)
      throw new InvalidDescription([{ field: name, message: `it must be one of ${among.join(', ')}` }])
    return found
  }
  const format = choose('format', formats)
  const part = choose('part', parts)
  return { ...(format !== undefined && { format }), ...(part !== undefined && { part }) }
}

/** @throws ServiceError NOT_ACCEPTABLE where nothing that there is would do */
function accepted(request: IncomingMessage & { accepts(types: string[]): string | false }): Format {
  const type = request.accepts(['application/json', 'application/yaml', 'application/x-yaml', 'text/yaml'])
  if (type === false) throw kitErrors.error('BAD_REQUEST', 'The answer is application/json or application/yaml.')
  return type === 'application/json' ? 'json' : 'yaml'
}
