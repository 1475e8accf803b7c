import { createHash } from 'node:crypto'
import { type Made, type Report, revisionText, type ScenarioResult, type Status, type View } from '../result.js'
import { silentWitnesses } from '../silent.js'
import { alwaysOn } from '../walls.js'
import { script, style } from './html-page.js'
import { count, seconds } from './layout.js'
import { escaped } from './markup.js'
import { failed, resultLines } from './told.js'
import { attemptText, layersText, reasonLines, sawText, wasTried } from './words.js'

/**
 * The report as one page that needs nothing else: no network, no other file. Expected, predicted, observed and what was seen of it
 * stand side by side; without its script the page is the same, and only cannot be filtered.
 */
export function renderHtml(report: Report, { made }: { readonly made?: Made } = {}): string {
  const { target, results } = report
  const title = `Expected, predicted and observed on the ${target} target`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p class="${verdictClass(report)}">${escaped(summaryText(report))}</p>
${silentText(report)}<p>${escaped(layersText(report.layers))}</p>
${madeText(made)}</header>
<main>
<form role="search" aria-label="Scenarios" hidden>
<fieldset><legend>Show those that</legend>
${filters(results)}
</fieldset>
<label for="words">and have the words <input id="words" type="search" autocomplete="off" placeholder="shop/sleep 50-identity"></label>
<p role="status" id="shown"></p>
</form>
<div class="scroll" role="region" aria-label="Results" tabindex="0">
<table>
<caption>Each scenario: what had to happen with these layers on, what the engine says, what its client saw, and what is recorded of it.</caption>
<thead><tr><th scope="col">Result</th><th scope="col">Scenario</th><th scope="col">Expected</th><th scope="col">Predicted</th><th scope="col">Observed</th><th scope="col">Evidence</th></tr></thead>
<tbody>
${[...results.filter(failed), ...results.filter((result) => !failed(result))].map(row).join('\n')}
</tbody>
</table>
</div>
</main>
<script>${script}</script>
</body>
</html>
`
}

function madeText(made: Made | undefined): string {
  if (made === undefined) return ''
  const of = made.revision === undefined ? '' : `, of revision <code>${escaped(revisionText(made.revision))}</code>`
  const at = escaped(made.startedAt)
  return `<p>Started at <time datetime="${at}">${at}</time>${of}</p>\n`
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const names: Readonly<Record<Status, readonly [word: string, sentence: string]>> = {
  'as-expected': ['agrees', 'agree'],
  different: ['differs', 'differ'],
  'not-observed': ['not observed', 'not observed'],
  'not-made': ['not made', 'not made on this target'],
  skipped: ['skipped', 'skipped'],
}
const statuses = [
  'different',
  'not-observed',
  'as-expected',
  'not-made',
  'skipped',
] as const satisfies readonly Status[]

function summaryText({ results, durationMs }: Report): string {
  const parts = statuses.flatMap((status) => {
    const number = results.filter((result) => result.status === status).length
    return number === 0 ? [] : [`${number} ${names[status][1]}`]
  })
  const unwitnessed = results.filter((result) => result.unwitnessed === true).length
  const silent = unwitnessed === 0 ? [] : [`${unwitnessed} stopped without a witness`]
  return `${count(results.length, 'scenario')} in ${seconds(durationMs)}: ${[...parts, ...silent].join(', ')}`
}

/** Above all else: a kind of witness that said nothing all along. */
const silentText = (report: Report): string =>
  silentWitnesses(report)
    .map(({ says, look }) => `<p class="summary bad">No witness: ${escaped(says)}; look: ${escaped(look)}</p>\n`)
    .join('')

function verdictClass(report: Report): string {
  const { results } = report
  if (results.some(failed) || silentWitnesses(report).length > 0) return 'summary bad'
  return results.some(({ status }) => status === 'as-expected') ? 'summary good' : 'summary'
}

function filters(results: readonly ScenarioResult[]): string {
  return statuses
    .flatMap((status) => {
      const number = results.filter((result) => result.status === status).length
      if (number === 0) return []
      return [
        `<label><input type="checkbox" value="${status}" checked> ${escaped(names[status][1])} (${number})</label>`,
      ]
    })
    .join('\n')
}

function row(result: ScenarioResult): string {
  const { scenario, status, expected, predicted, observed, unwitnessed } = result
  const mark = unwitnessed === true ? `${names[status][0]}, without a witness` : names[status][0]
  const cells = [
    `<td class="mark">${escaped(mark)}</td>`,
    `<th scope="row"><span class="id">${escaped(scenario.id)}</span><br>${escaped(scenario.title)}<br><code>${escaped(attemptText(scenario))}</code><br><small>${escaped(scenario.kind)}, ${escaped(scenario.file)}, ${escaped(seconds(result.durationMs))}</small></th>`,
    view(wasTried(result) ? expected : undefined),
    view(predicted),
    view(observed),
    `<td>${evidence(result)}</td>`,
  ]
  return `<tr id="${escaped(scenario.id)}" data-status="${status}"${unwitnessed === true ? ' class="silent"' : ''}>${cells.join('')}</tr>`
}

/** Two lines of what happened, and the rest for whoever asks. */
function view(of: View | undefined): string {
  if (of === undefined) return '<td class="none">not known</td>'
  const { outcome, symptom, reason } = of
  const layer = reason?.layer
  const by = layer === undefined ? '' : ` by <b>${escaped(layer)}</b>${alwaysOn.has(layer) ? ', always there' : ''}`
  const head = `<b>${escaped(outcome)}</b>${by}`
  if (outcome === 'through') return `<td>${head}</td>`
  const lines = [`the client sees ${sawText(symptom)}`, ...(reason === undefined ? [] : reasonLines(reason))]
  const more = `<ul>${lines.map((line) => `<li>${escaped(line.trim())}</li>`).join('')}</ul>`
  const code = reason === undefined ? '' : ` <code>${escaped(reason.code)}</code>`
  return `<td>${head}<details><summary>${escaped(symptom)}${code}</summary>${more}</details></td>`
}

function evidence(result: ScenarioResult): string {
  const lines = resultLines(result).map((line) => `<li>${escaped(line.trim())}</li>`)
  const raw = (result.sightings ?? []).map(
    ({ by, at, line }) => `<dt>${escaped(by)}, <time>${escaped(at)}</time></dt><dd><code>${escaped(line)}</code></dd>`,
  )
  const told = lines.length === 0 ? '' : `<ul>${lines.join('')}</ul>`
  const words =
    raw.length === 0
      ? ''
      : `<details><summary>${count(raw.length, 'record')}</summary><dl>${raw.join('')}</dl></details>`
  const notice = `<details><summary>how an operator notices</summary><p>${escaped(result.scenario.notice)}</p></details>`
  return `${told}${words}${notice}`
}
