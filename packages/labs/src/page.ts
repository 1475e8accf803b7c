import { fromMarkdown } from 'mdast-util-from-markdown'
import { readConsole } from './console.js'
import { checkSchema, headSchema, readYaml } from './schema.js'
import { type Lab, LabError, type LabProblem, type LabStep, type Language, languages, type StepCheck } from './types.js'

/** A block of the page. */
type Block = ReturnType<typeof fromMarkdown>['children'][number]

/** A comment of ours: its word, and the text after it. */
const comment = /^<!--\s*(lab|check)\b[ \t]*\n?([\s\S]*?)-->\s*$/

/** How a quote begins that says what is different on a cluster. */
const onClusterWords: Readonly<Record<Language, string>> = { en: '**On a cluster:**', 'zh-TW': '**在叢集上**：' }

/**
 * A lab's page. It is the only source: what is read here is what people read.
 *
 * @param file relative to the repository: `docs/labs/01-who-may-call/README.md`
 * @throws LabError with everything that is wrong
 */
export function readPage(text: string, file: string): Lab {
  const problems: LabProblem[] = []
  const fail = (line: number, message: string): void => void problems.push({ file, line, message })
  const nodes = fromMarkdown(text).children
  const title = nodes.find((node) => node.type === 'heading' && node.depth === 1)
  if (title === undefined) fail(1, 'the page has no title: # ...')
  const head = nodes.flatMap((node) => commentOf(node, 'lab') ?? [])[0]
  if (head === undefined) fail(1, 'the page has no <!-- lab ... --> with its minutes and its start')
  const { minutes = 0, needs = [], start } = (head && readYaml(headSchema, head.text, head.line, fail)) ?? {}
  const { id, name, language } = namesOf(file, fail)
  const noteOf = (blocks: readonly Block[]): string | undefined => clusterNoteOf(blocks, text, language, fail)
  const [before, sections] = [nodes.slice(0, firstStepOf(nodes)), sectionsOf(nodes)]
  const steps = sections.map((section) => readStep(section, text, noteOf(section.nodes), fail))
  const onCluster = noteOf(before)
  if (steps.length === 0) fail(1, 'the page has no steps: ## ...')
  if (problems.length > 0) throw new LabError(problems.sort((a, b) => a.line - b.line))
  return {
    id,
    name,
    file,
    language,
    title: title === undefined ? '' : headingText(title, text),
    minutes,
    needs,
    start: { layersOff: start?.['layers-off'] ?? [], without: start?.without ?? [] },
    ...(onCluster !== undefined && { onCluster: { text: onCluster, same: numbersIn(onCluster) } }),
    steps,
  }
}

function namesOf(file: string, fail: (line: number, message: string) => void) {
  const [, name = '', id = '', suffix] = /(?:^|\/)((\d\d)-[a-z0-9-]+)\/README(?:\.([\w-]+))?\.md$/.exec(file) ?? []
  const language = languages.find((known) => known === (suffix ?? 'en'))
  if (name === '' || language === undefined)
    fail(1, `a lab's page is NN-name/README.md or NN-name/README.LANGUAGE.md, with one of ${languages.join(', ')}`)
  const known: Language = language ?? 'en'
  return { id, name, language: known }
}

interface Section {
  readonly heading: Block
  readonly nodes: readonly Block[]
}

function sectionsOf(nodes: readonly Block[]): readonly Section[] {
  const sections: { heading: Block; nodes: Block[] }[] = []
  for (const node of nodes) {
    if (isStep(node)) sections.push({ heading: node, nodes: [] })
    else sections.at(-1)?.nodes.push(node)
  }
  return sections
}

const isStep = (node: Block): boolean => node.type === 'heading' && node.depth === 2
const firstStepOf = (nodes: readonly Block[]): number => nodes.findIndex(isStep)

/** The quote that says what is different on a cluster, without its marks and its first words. */
function clusterNoteOf(
  nodes: readonly Block[],
  text: string,
  language: Language,
  fail: (line: number, message: string) => void,
): string | undefined {
  const [found, second] = nodes.flatMap((node) => {
    const said = node.type === 'blockquote' ? sourceOf(node, text).replace(/^>[ \t]?/gm, '') : ''
    return said.startsWith(onClusterWords[language]) ? [{ node, said }] : []
  })
  if (second !== undefined)
    fail(lineOf(second.node), 'what is different on a cluster is said once in a step, and here is a second time')
  return found?.said.slice(onClusterWords[language].length).trim()
}

/** The steps that it names, in bold: `**5**`. */
const numbersIn = (note: string): readonly string[] =>
  [...note.matchAll(/\*\*(\d+)\*\*/g)].map(([, number = '']) => number)

function readStep(
  { heading, nodes }: Section,
  text: string,
  onCluster: string | undefined,
  fail: (line: number, message: string) => void,
): LabStep {
  const commands = nodes.flatMap((node) =>
    node.type === 'code' && node.lang === 'console' ? readConsole(node.value, lineOf(node) + 1, fail) : [],
  )
  const [found, second] = nodes.flatMap((node) => commentOf(node, 'check') ?? [])
  if (second !== undefined) fail(second.line, 'a step has one <!-- check ... -->, and here is a second one')
  const read = found && readYaml(checkSchema, found.text, found.line, fail)
  const check: StepCheck | undefined = read && {
    inForce: read['in-force'],
    refused: read.refused,
    tried: read.tried,
    now: read.now,
  }
  const prose = nodes
    .filter((node) => commentOf(node, 'check') === undefined)
    .map((node) => sourceOf(node, text))
    .join('\n\n')
  return {
    heading: headingText(heading, text),
    prose,
    commands,
    ...(onCluster !== undefined && { onCluster }),
    ...(check !== undefined && { check }),
    line: lineOf(heading),
  }
}

function commentOf(node: Block, word: 'lab' | 'check'): { readonly text: string; readonly line: number } | undefined {
  if (node.type !== 'html') return undefined
  const [, found, text = ''] = comment.exec(node.value) ?? []
  return found === word ? { text, line: lineOf(node) + 1 } : undefined
}

const lineOf = (node: Block): number => node.position?.start.line ?? 1
const sourceOf = (node: Block, text: string): string =>
  text.slice(node.position?.start.offset ?? 0, node.position?.end.offset ?? 0)
const headingText = (node: Block, text: string): string =>
  sourceOf(node, text)
    .replace(/^#+\s*/, '')
    .replace(/\s*#*$/, '')
    .replaceAll('`', '')
