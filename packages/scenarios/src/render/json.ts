import type { Made, Report } from '../result.js'
import { silentWitnesses } from '../silent.js'

/**
 * A report for programs. Of each scenario only what names it; everything else as in ScenarioResult. Keys keep their
 * order; with `stable`, what changes from run to run is left out (when it was and of which revision, durations, timings, what servers say of
 * times, lines of logs, and what was tried again). `silent`: kinds of witness that were needed and never heard.
 */
export function renderJson(report: Report, options: { readonly stable?: boolean; readonly made?: Made } = {}): string {
  const stable = options.stable === true
  const results = report.results.map((result) => {
    const { id, title, kind, from, file, technique } = result.scenario
    const { scenario: _, observation, control, durationMs, sightings, notes, ...rest } = result
    return {
      id,
      title,
      kind,
      from,
      file,
      ...(technique === undefined ? {} : { technique }),
      ...rest,
      ...(observation === undefined || stable ? {} : { observation }),
      ...(sightings === undefined || stable ? {} : { sightings }),
      ...(notes === undefined || stable ? {} : { notes }),
      ...(control === undefined ? {} : { control: { symptom: control.symptom } }),
      ...(stable ? {} : { durationMs }),
    }
  })
  const { target, layers, durationMs } = report
  const silent = silentWitnesses(report)
  return `${JSON.stringify({ target, layers, results, ...(silent.length > 0 && { silent }), ...(stable ? {} : { ...options.made, durationMs }) }, null, 2)}\n`
}
