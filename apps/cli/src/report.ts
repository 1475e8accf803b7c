import { statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Made, Report } from '@bulkhead/scenarios'
import { type Command, Option } from 'commander'
import type { Typed } from './given.js'
import { CliError, type Io, note, print } from './io.js'
import type { JsonOption } from './options.js'
import { shownPath } from './places.js'

/* Reports of scenarios: on stdout, and into files, in the forms that people and programs read. */

export const formats = ['text', 'json', 'junit', 'html'] as const
export type Format = (typeof formats)[number]

export interface ReportOptions extends JsonOption {
  readonly format?: Format
  readonly output?: readonly string[]
}

/** Where a report goes, known before anything is run. */
export interface ReportPlan {
  readonly stdout: Format
  readonly files: readonly { readonly file: string; readonly format: Format }[]
}

const endings: Readonly<Record<string, Format>> = { '.txt': 'text', '.json': 'json', '.xml': 'junit', '.html': 'html' }

export function withReport(command: Command): Command {
  return command
    .addOption(new Option('--format <form>', 'of the report: text, json, junit or html').choices(formats))
    .option(
      '--output <file>',
      'write the report to a file too, in the form that its ending says (.txt, .json, .xml for JUnit, .html); may be given again',
      (file: string, more: readonly string[] = []) => [...more, file],
    )
}

/** @throws CliError for what cannot be written, before an hour has been spent on it */
export function planReport(io: Pick<Io, 'cwd'>, { json = false, format, output = [] }: ReportOptions): ReportPlan {
  if (json && format !== undefined && format !== 'json' && output.length === 0) {
    throw new CliError(`--json and --format ${format} are two forms for one report; leave one of them out.`)
  }
  const files = output.map((file) => ({ file: path.resolve(io.cwd, file), format: formatOf(file, format) }))
  for (const { file } of files) checkWritable(io, file)
  // With a file, the form is the file's, and whoever waits reads text.
  return { stdout: json ? 'json' : output.length > 0 ? 'text' : (format ?? 'text'), files }
}

function formatOf(file: string, format: Format | undefined): Format {
  const ending = endings[path.extname(file).toLowerCase()]
  if (ending !== undefined && format !== undefined && ending !== format) {
    throw new CliError(`"${file}" ends as a report in the form ${ending}, and --format says ${format}.`)
  }
  const either = ending ?? format
  if (either !== undefined) return either
  throw new CliError(
    `which form "${file}" is to have its ending does not say; write --format ${formats.join(', or ')}.`,
  )
}

function checkWritable(io: Pick<Io, 'cwd'>, file: string): void {
  const folder = path.dirname(file)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CliError(`there is no folder "${shownPath(io, folder)}" to write a report to.`)
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new CliError(`"${shownPath(io, file)}" is a folder; a report is a file.`)
  }
}

/** Whether something else than text is asked for: what is kept says when it was made, and of what. */
export const isKept = ({ stdout, files }: ReportPlan): boolean =>
  [stdout, ...files.map(({ format }) => format)].some((format) => format !== 'text')

/** Whether a program reads the report from stdout, and so what stood in its way. */
export const isForPrograms = ({ json, format, output = [] }: ReportOptions): boolean =>
  json === true || (format === 'json' && output.length === 0)

export type TextRender = (report: Report, options: { readonly color?: boolean }) => string

const escapedXml = (words: string): string => words.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`)

/** Writes the report where the plan says; `text` is the command's own. */
export async function printReport(
  io: Io,
  plan: ReportPlan,
  report: Report,
  text: TextRender,
  made?: Made,
  typed: Typed = (said) => said,
): Promise<void> {
  const { renderHtml, renderJson, renderJunit } = await import('@bulkhead/scenarios')
  const when = made === undefined ? {} : { made }
  const render: Readonly<Record<Format, () => string>> = {
    text: () => typed(text(report, {})),
    json: () => typed(renderJson(report, when), (words) => JSON.stringify(words).slice(1, -1)),
    junit: () => typed(renderJunit(report, when), escapedXml),
    html: () => typed(renderHtml(report, when), escapedXml),
  }
  for (const { file, format } of plan.files) {
    try {
      writeFileSync(file, render[format]())
    } catch (error) {
      throw new CliError(`the report could not be written to "${shownPath(io, file)}": ${(error as Error).message}.`)
    }
    note(io, `report: ${shownPath(io, file)}`)
  }
  if (plan.stdout === 'text') print(io, typed(text(report, { color: io.colour })))
  else io.stdout.write(render[plan.stdout]())
}
