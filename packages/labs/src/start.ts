import type { Entry, LabJournal } from './journal.js'
import { type LabTarget, offOf } from './target.js'
import type { Lab } from './types.js'

/**
 * Puts a lab's start in force: its layers off, all others on, its objects taken out, and nothing applied beside the files.
 * What was in force before is written down first; begun anew, in the middle or after a crash, that of the first time stays.
 */
export async function startLab(target: LabTarget, lab: Lab, journal: LabJournal): Promise<Entry> {
  const known = journal.read()
  const started = await target.started()
  const layers = await target.layers()
  const before =
    known === undefined || known.target !== started
      ? { off: known === undefined ? offOf(layers) : known.before.off, applied: await target.applied() }
      : known.before
  const entry: Entry = { lab: lab.id, started: new Date().toISOString(), target: started, before }
  journal.write(entry)
  await withdrawAll(target)
  await setOff(target, lab.start.layersOff)
  for (const id of lab.start.without) await target.remove(id)
  // What was tried meanwhile was not tried in the lab's state.
  const begun = { ...entry, started: new Date().toISOString() }
  journal.write(begun)
  return begun
}

/**
 * Puts back what was in force before the lab; asked again, or with a part of it done, it does the rest. Objects that were
 * applied before are put back only on the target that had them: a new start forgets them, with a lab or without.
 */
export async function resetLab(target: LabTarget, journal: LabJournal): Promise<Entry | undefined> {
  const entry = journal.read()
  if (entry === undefined) return undefined
  const { before } = entry
  if (entry.target === (await target.started())) {
    await withdrawAll(target)
    for (const { name, change } of before.applied) await target.apply(name, change)
  }
  await setOff(target, before.off)
  journal.clear()
  return entry
}

/** The last one first: what was applied later may need what was there before it. */
async function withdrawAll(target: LabTarget): Promise<void> {
  for (const { name } of (await target.applied()).toReversed()) await target.withdraw(name)
}

/** These layers off and all others on; those that are not there any more are nobody's. */
async function setOff(target: LabTarget, off: readonly string[]): Promise<void> {
  const layers = await target.layers()
  const wanted = (name: string) => off.some((one) => one === name)
  const down = layers.filter(({ name, on }) => on && wanted(name)).map(({ name }) => name)
  const up = layers.filter(({ name, on }) => !on && !wanted(name)).map(({ name }) => name)
  if (down.length + up.length > 0) await target.setLayers({ off: down, on: up })
}
