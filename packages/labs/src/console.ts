import type { LabCommand } from './types.js'

/**
 * The commands of a `console` block: a line that begins with `$ ` is typed, and goes on in the next ones as long as they
 * end with a backslash; what follows is what it prints.
 *
 * @param line of the block's first line of text, from 1
 */
export function readConsole(text: string, line: number, fail: (line: number, message: string) => void): LabCommand[] {
  const commands: { line: string; output: string[]; at: number }[] = []
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index += 1) {
    const found = lines[index] ?? ''
    if (!found.startsWith('$ ')) {
      const command = commands.at(-1)
      if (command === undefined)
        fail(line + index, `the block begins with ${JSON.stringify(found)}, and not with a command: $ ...`)
      else command.output.push(found)
      continue
    }
    const at = line + index
    let typed = found.slice(2)
    while (typed.endsWith('\\') && index + 1 < lines.length) {
      index += 1
      typed = `${typed.slice(0, -1).trimEnd()} ${(lines[index] ?? '').trim()}`
    }
    commands.push({ line: typed, output: [], at })
  }
  return commands
}
