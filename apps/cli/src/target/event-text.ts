import { posix } from 'node:path'
import { renderDiff } from '@bulkhead/analysis/diff-text'
import type { Admitted, LayersSwitched, ManifestsEvent } from '@bulkhead/local-cluster'
import { refusalText } from '@bulkhead/local-cluster/refusal'
import { printable } from '../io.js'

/** More groups of flows than these are counted, and not shown: a save that moves everything is no longer read line by line. */
export const mostGroups = 12

/** What became of a save, for people. `at` is when, as a clock shows it. */
export function eventText(event: ManifestsEvent, at: string): string {
  const [first = '', ...more] = linesOf(event)
  return printable([`${at}  ${first}`, ...more.map((line) => `  ${line}`)].join('\n'))
}

/** Hours, minutes and seconds here. */
export const clock = (date: Date): string => date.toTimeString().slice(0, 8)

function linesOf(event: ManifestsEvent): readonly string[] {
  switch (event.kind) {
    case 'refused':
      return [
        `refused, nothing changed${event.files.length === 0 ? '' : `: ${filesWords(event.files)}`}`,
        ...event.message.split('\n'),
      ]
    case 'unread':
      return [
        `saved, but not read: ${filesWords(event.files.map(({ file }) => file))}`,
        ...event.files
          .slice(0, mostFiles)
          .map(
            ({ file, kustomization }) =>
              `add ${posix.relative(posix.dirname(kustomization), file)} to the resources of ${kustomization}, and save that`,
          ),
      ]
    case 'rollout': {
      const who = event.workloads.join(', ')
      const seconds = (event.ms / 1000).toFixed(1)
      if (event.state === 'complete') return [`${who}: the pods are as the save wants them, after ${seconds} s`]
      return [
        `${who}: stuck, ${event.waitingFor.join(', ')} not ready after ${seconds} s`,
        'What it was to replace stays, and serves; the policies of the save are in force.',
        ...event.workloads.map((workload) => `Why: npx bulkhead logs ${workload}`),
      ]
    }
    case 'changed':
      return [
        `in force after ${event.ms} ms${event.files.length === 0 ? '' : `: ${filesWords(event.files)}`}`,
        ...changedLines({ ...event, closed: event.closedConnections }),
        ...staleLines(event.diff),
        ...(event.rolling.length === 0
          ? []
          : [`pods are being started, replaced or ended: ${event.rolling.join(', ')}`]),
        ...admissionLines(event.admission),
        ...event.warnings.map(({ at, message }) => `warning: ${at.file}:${at.line}: ${message}`),
      ]
  }
}

/** What the API server said of a save or a start: each refusal once, until it says something else. */
export function admissionLines({ news, mended, warnings }: Admitted): readonly string[] {
  return [
    ...news.flatMap((one) => refusalText(one).split('\n')),
    ...(mended.length === 0 ? [] : [`no longer refused: ${mended.join(', ')}`]),
    ...warnings.map((text) => `Warning: ${text}`),
  ]
}

const mostRefused = 6

/** What a switch of layers would refuse: policies act on requests, and not on what is there. */
export function scanLines({ wouldRefuse = [] }: Pick<LayersSwitched, 'wouldRefuse'>): readonly string[] {
  if (wouldRefuse.length === 0) return []
  const count =
    wouldRefuse.length === 1 ? '1 object is there and stays' : `${wouldRefuse.length} objects are there and stay`
  const shown = wouldRefuse
    .slice(0, mostRefused)
    .map(({ id, at, policy }) => `  ${id} (${at})${policy === undefined ? '' : `: ${policy}`}`)
  const more = wouldRefuse.length - shown.length
  return [
    `${count}, and would be refused now:`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more; npx bulkhead admit -f FILE says why`] : []),
  ]
}

/** As on a cluster, a pod has read them at its start. */
function staleLines(diff: LayersSwitched['diff']): readonly string[] {
  const read = (diff?.objects.changed ?? []).filter((id) => /^(ConfigMap|Secret)\//.test(id))
  if (read.length === 0) return []
  return [`pods that read ${read.join(', ')} at their start keep what they read until their template changes`]
}

/** What a change opened and closed, and what it cut. */
export function changedLines({ diff, undiffed, closed }: Omit<LayersSwitched, 'generation'>): readonly string[] {
  const lines =
    diff === undefined
      ? [`what it opened and closed could not be worked out: ${undiffed ?? 'no reason was given'}`]
      : renderDiff(diff, { most: mostGroups }).trimEnd().split('\n')
  if (closed === 0) return lines
  return [...lines, `${closed === 1 ? '1 open connection was' : `${closed} open connections were`} closed by it.`]
}

const mostFiles = 4
function filesWords(files: readonly string[]): string {
  const shown = files.slice(0, mostFiles).join(', ')
  return files.length <= mostFiles ? shown : `${shown} and ${files.length - mostFiles} more`
}
