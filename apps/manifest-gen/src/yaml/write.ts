import { Document, isScalar, Scalar, visit } from 'yaml'
import type { ManifestFile } from '../generate/objects.js'

/**
 * Text that every reader of YAML takes for this very text without quotes: it begins with a letter, holds nothing that is
 * structure anywhere, and no word that is a value of another type in 1.1 or 1.2.
 */
const plain = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z](?:[A-Za-z0-9._/-]|:(?=[A-Za-z0-9]))*$/i

/** Line breaks of YAML 1.1 among them (U+0085, U+2028, U+2029): in quotes they would be folded to a space. */
const beyondAscii = /[^\x20-\x7e\n]/gu

const options = { lineWidth: 0, doubleQuotedAsJSON: true, aliasDuplicateObjects: false } as const

/** One object as a YAML document. Every text that came from outside is a scalar of its own; none is ever put into text. */
export function writeYaml(object: unknown): string {
  const document = new Document(object, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && typeof node.value === 'string')
        node.type = plain.test(node.value) ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE
    },
  })
  return document.toString(options).replace(beyondAscii, escapeCharacter)
}

/** Only in double quotes can there be such a character: nothing else that is written is beyond ASCII. */
const escapeCharacter = (character: string): string => {
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
