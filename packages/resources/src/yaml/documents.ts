import { Composer, type CST, type Document, Lexer, LineCounter, type ParsedNode, Parser } from 'yaml'
import { adviceFor } from './advice.js'
import { convert, type YamlProblem } from './convert.js'
import { tooDeep } from './depth.js'
import { MAX_DEPTH, MAX_DOCUMENTS, MAX_FILE_BYTES, MAX_VALUES } from './limits.js'
import type { PositionNode } from './positions.js'

export interface YamlDocument {
  /** Plain data. Aliases are expanded, so no two places share an object. `null` for an empty document. */
  readonly value: unknown
  readonly positions: PositionNode
}

export interface YamlText {
  /** Those that could be read; a document with a syntax error is in `problems` only. */
  readonly documents: readonly YamlDocument[]
  readonly problems: readonly YamlProblem[]
  /** Line and column, from 1. */
  place(offset: number): { readonly line: number; readonly column: number }
}

/** YAML text to plain data that knows where it stands. Never throws; what cannot be read is in `problems`. */
export function parseYaml(source: string): YamlText {
  // A line may end in CR alone, and the parser below knows no such line. Offsets stay.
  const text = source.replace(/\r(?!\n)/g, '\n')
  const lines = new LineCounter()
  const documents: YamlDocument[] = []
  const problems: YamlProblem[] = []
  const result: YamlText = {
    documents,
    problems,
    place(offset) {
      // The counter knows no line before the first character was read.
      if (lines.lineStarts.length === 0) return { line: 1, column: 1 }
      const { line, col } = lines.linePos(offset)
      return { line: Math.max(line, 1), column: Math.max(col, 1) }
    },
  }
  if (text.length > MAX_FILE_BYTES) {
    problems.push({ code: 'file.too-large', message: tooLarge(text.length), offset: 0 })
    return result
  }
  const budget = { values: MAX_VALUES }
  // The parser makes an Error for each thing wrong; on a file of rubbish their stack traces are four fifths of the time.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    for (const document of compose(text, lines, problems)) {
      const error = document.errors[0]
      if (error !== undefined) {
        // One mistake makes the parser stumble on; only the first report of a document is about what is wrong.
        problems.push({
          code: 'yaml.syntax',
          message: `not valid YAML: ${sentence(error.message)}${adviceFor(error.code, text, error.pos[0])}`,
          offset: error.pos[0],
        })
        continue
      }
      const converted = convert(document.contents, text, budget, problems)
      if (converted !== undefined) documents.push(converted)
    }
  } catch (error) {
    // The parser promises not to throw on text; should it, a bad file must still not end the process.
    problems.push({ code: 'yaml.syntax', message: `not valid YAML: ${sentence(String(error))}`, offset: 0 })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  return result
}

export function tooLarge(bytes: number): string {
  return `the file has ${bytes} bytes, and at most ${MAX_FILE_BYTES} are read; split it, or name the folder that holds only manifests`
}

function* compose(text: string, lines: LineCounter, problems: YamlProblem[]): Generator<Document.Parsed<ParsedNode>> {
  const composer = new Composer<ParsedNode>({
    // Scalars stay text here: what they mean is decided as Kubernetes decides it (scalars.ts).
    schema: 'failsafe',
    resolveKnownTags: false,
    // The parser's own check compares each key with all others; convert() asks a set.
    uniqueKeys: false,
    logLevel: 'silent',
  })
  let count = 0
  for (const token of tokens(text, lines)) {
    const deep = typeof token === 'number' ? token : tooDeep(token, MAX_DEPTH)
    if (typeof token === 'number' || deep !== undefined) {
      problems.push({
        code: 'yaml.too-deep',
        message: `nested deeper than ${MAX_DEPTH} levels; no Kubernetes object is`,
        offset: deep ?? 0,
      })
      return
    }
    for (const document of composer.next(token)) {
      count += 1
      if (count > MAX_DOCUMENTS) {
        problems.push({
          code: 'yaml.too-many-documents',
          message: `more than ${MAX_DOCUMENTS} documents in one file; split it`,
          offset: document.range[0],
        })
        return
      }
      yield document
    }
  }
  yield* composer.end()
}

/**
 * What `new Parser(lines.addNewLine).parse(text)` yields, but where something is nested far too deep only its offset,
 * and then no more: a million brackets need not be read to their end.
 */
function* tokens(text: string, lines: LineCounter): Generator<CST.Token | number> {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    // The stack holds a few entries that are no nesting (the document, a key); tooDeep counts exactly.
    if (parser.stack.length > 4 * MAX_DEPTH) {
      yield parser.offset
      return
    }
  }
  yield* parser.end()
}

function sentence(message: string): string {
  const text = message.replace(/\s+/g, ' ').trim()
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
