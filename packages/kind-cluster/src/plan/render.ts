import { commandLine } from '../tools/command-line.js'
import { shellWord } from '../tools/shell-word.js'
import type { Command } from '../tools.js'
import type { Action, Part, Plan, Step } from './types.js'

/** Prose is broken here. */
const PROSE = 100
/** A command line that is longer goes on in the next one. */
const LINE = 118
const INDENT = '    '

const parts: Readonly<Record<Part, string>> = {
  cluster: 'The cluster',
  platform: 'What the walls are made with',
  walls: 'The walls',
  workloads: 'What is behind them',
  proof: 'The proof',
}

export interface RenderOptions {
  /** What stands before the first step, and after the last. Each text is a paragraph. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/**
 * A plan as instructions: numbered, in parts, why for each step, and command lines that can be pasted into a shell in the clone, in this
 * order, with the same result. `root` is the clone: paths in it are shown from there.
 */
export function renderPlan(plan: Plan, root: string, { before, after }: RenderOptions): string {
  const lines: string[] = []
  const paragraph = (text: string, indent = ''): void => void lines.push(...fold(text, indent), '')
  for (const text of before) paragraph(text)
  let part: Part | undefined
  for (const [index, step] of plan.steps.entries()) {
    if (step.part !== part) {
      part = step.part
      lines.push(parts[part].toUpperCase(), '')
    }
    lines.push(`${String(index + 1).padStart(2)}. ${step.title}`, ...fold(step.why, INDENT), '')
    lines.push(...stepLines(step, root))
  }
  for (const text of after) paragraph(text)
  return `${lines.join('\n').trimEnd()}\n`
}

function stepLines(step: Step, root: string): readonly string[] {
  const lines: string[] = []
  let said: string | undefined
  for (const action of step.actions) {
    const words = wordsOf(action)
    // The same words over several lines are said once.
    if (words !== undefined && words !== said) {
      if (lines.length > 0 && lines.at(-1) !== '') lines.push('')
      lines.push(...fold(words, INDENT))
    } else if (words === undefined && said !== undefined) lines.push('')
    said = words
    lines.push(...shellLines(action, root))
  }
  const files = (step.temporary ?? []).map((file) => shellWord(fromRoot(file, root)))
  if (files.length > 0) lines.push(...broken(['rm', '-f', ...files], `${INDENT}${INDENT}`))
  if (step.cleanup !== undefined)
    lines.push('', ...fold('However that went:', INDENT), ...broken(pasted(step.cleanup, root), `${INDENT}${INDENT}`))
  return [...lines, '']
}

/** What is to be said of a line that does not say it itself. */
function wordsOf(action: Action): string | undefined {
  switch (action.kind) {
    case 'run':
      return action.note && `${action.note}:`
    case 'wait':
      return `Wait until ${action.until}:`
    case 'restart':
      return 'Only where an image of ours was built anew since its pods were started, which go on with the old one; the first time there is nothing to do:'
    case 'refused':
      return 'Each has to be refused whole, with the name of the policy in the answer, and nothing created; a minute at most after the policies were ready:'
    case 'says':
      return `${action.meaning} (the answer has ${action.text} in it; ask again for up to ${action.withinMs / 1000} s):`
    case 'piped':
      return 'Text that is made on the spot, and never a file:'
    case 'suite':
      return undefined
  }
}

function shellLines(action: Action, root: string): readonly string[] {
  const words = pasted(action.command, root)
  const stdin = action.command.stdin
  if (action.kind === 'piped') words.unshift(...action.from.map(shellWord), '|')
  else if (stdin !== undefined) words.unshift('printf', '%s', shellWord(stdin), '|')
  return broken(words, `${INDENT}${INDENT}`)
}

/** A path as it is written in the clone. */
const fromRoot = (word: string, root: string): string =>
  word.startsWith(`${root}/`) ? word.slice(root.length + 1) : word

/** The words of a command for a shell in the clone, as somebody would type them. */
function pasted(command: Command, root: string): string[] {
  const args = command.args.map((arg) => fromRoot(arg, root))
  const [script, ...rest] = args
  if (command.tool === 'node' && script === BIN) return ['npx', 'bulkhead', ...rest.map(shellWord)]
  return [command.tool, ...args.map(shellWord)]
}

/** What `npx bulkhead` is in a clone. */
const BIN = 'apps/cli/bin/bulkhead.js'

/** A command line in pieces that a shell takes for one: broken before a word, and an option is not parted from its value. */
function broken(words: readonly string[], indent: string): readonly string[] {
  const lines: string[] = []
  let line = indent
  for (const [index, word] of pieces(words).entries()) {
    const glued = index === 0 ? `${indent}${word}` : `${line} ${word}`
    if (glued.length > LINE - 2 && line.trim() !== '') {
      lines.push(`${line} \\`)
      line = `${indent}  ${word}`
    } else line = glued
  }
  return [...lines, line]
}

function pieces(words: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const [index, word] of words.entries()) {
    const before = words[index - 1] ?? ''
    const isValue = /^--?[a-z-]+$/.test(before) && !/^[-|]./.test(word) && word !== '|'
    if (isValue && found.length > 0) found.push(`${found.pop()} ${word}`)
    else found.push(word)
  }
  return found
}

function fold(text: string, indent: string): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > PROSE) {
      lines.push(`${indent}${line}`)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, `${indent}${line}`]
}

/** The plan for programs: the same steps, with each command line whole, as it would be run in the clone. */
export function planJson(plan: Plan, root: string): unknown {
  return {
    steps: plan.steps.map(({ id, part, title, why, actions, files, temporary, images, done, cleanup }, index) => ({
      number: index + 1,
      id,
      part,
      title,
      why,
      actions: actions.map((action) => actionJson(action, root)),
      ...(files && { files }),
      ...(temporary && { temporary: temporary.map((file) => fromRoot(file, root)) }),
      ...(images && { images: { names: images.names, command: commandJson(images.command, root) } }),
      ...(done === 'proven' && { doneWhen: 'it was proven at this cluster' }),
      ...(typeof done === 'object' && { doneWhen: { command: commandJson(done.command, root), holds: done.holds } }),
      ...(cleanup && { cleanup: commandJson(cleanup, root) }),
    })),
  }
}

function actionJson(action: Action, root: string): unknown {
  const { command, ...rest } = action
  return { ...rest, command: commandJson(command, root) }
}

function commandJson({ tool, args, stdin, secret, timeoutMs }: Command, root: string): unknown {
  const shown = args.map((arg) => fromRoot(arg, root))
  const said = stdin !== undefined && secret !== true
  return { line: commandLine({ tool, args: shown }), argv: [tool, ...shown], ...(said && { stdin }), timeoutMs }
}
