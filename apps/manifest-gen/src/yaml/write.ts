import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import type { ManifestFile } from '../generate/objects.js'

/**
 * Text that every reader of YAML takes for this very text without quotes: it begins with a letter, holds nothing that is
 * structure anywhere, and is no word that is a value of another type in 1.1 or 1.2, nor a number to a lenient reader (`e3`).
 */
const plain = /^(?!(?:y|n|yes|no|on|off|true|false|null|e\d+)$)[A-Za-z](?:[A-Za-z0-9._/-]|:(?=[A-Za-z0-9]))*$/i

/** Line breaks of YAML 1.1 among them (U+0085, U+2028, U+2029): in quotes they would be folded to a space. */
const beyondAscii = /[^\x20-\x7e\n]/gu

/** Without `%TAG`, for which the library would go over every node: there is no tag. */
const options = { lineWidth: 0, doubleQuotedAsJSON: true, directives: false } as const

type Node = Scalar | YAMLMap | YAMLSeq

/** Text, as a scalar that can be taken for nothing else. */
function textNode(text: string): Scalar<string> {
  const node = new Scalar(text)
  node.type = plain.test(text) ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE
  return node
}

/** The library's own nodes, made here, since it would look for equal objects, and each node would be visited once more for its quotes. */
function nodeOf(value: unknown): Node {
  if (typeof value === 'string') return textNode(value)
  if (Array.isArray(value)) {
    const list = new YAMLSeq()
    for (const item of value) list.items.push(nodeOf(item))
    return list
  }
  if (typeof value === 'object' && value !== null) {
    const map = new YAMLMap()
    for (const [key, field] of Object.entries(value)) map.items.push(new Pair(textNode(key), nodeOf(field)))
    return map
  }
  return new Scalar(value)
}

/**
 * One for all: what it is made with costs more than a small object, and what it is written from is its contents alone. It
 * knows no types but those that there are: the library would hold each text against all of them once more.
 */
const document = new Document<Node>(undefined, { schema: 'failsafe', customTags: ['int', 'bool'] })

/** One object as a YAML document. Every text that came from outside is a scalar of its own; none is ever put into text. */
export function writeYaml(object: unknown): string {
  document.contents = nodeOf(object)
  return document.toString(options).replace(beyondAscii, escapeCharacter)
}

/** Only in double quotes can there be such a character: nothing else that is written is beyond ASCII. */
function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** A stream of documents, each file's with a comment that says where it belongs. */
export function writeFiles(files: readonly ManifestFile[]): string {
  return files
    .flatMap(({ path, objects }) =>
      objects.map((object, index) => `${index === 0 ? `# k8s/${path}\n` : ''}${writeYaml(object)}`),
    )
    .join('---\n')
}
