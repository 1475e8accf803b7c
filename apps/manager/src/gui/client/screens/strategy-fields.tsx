import { useRef } from 'preact/hooks'
import type { Problems, StrategyDraft } from '../logic/strategy-draft.js'
import { durationWords, priorityWords } from '../logic/words.js'
import { Button } from '../ui/basics.js'
import { TextField } from '../ui/fields.js'

export interface StrategyFieldsProps {
  readonly draft: StrategyDraft
  readonly onDraft: (draft: StrategyDraft) => void
  readonly problems: Problems
}

export function StrategyFields({ draft, onDraft, problems }: StrategyFieldsProps) {
  const set = (change: Partial<StrategyDraft>): void => onDraft({ ...draft, ...change })
  const slice = durationWords(Number(draft.executionTime.trim() || 'none'))
  const strength = draft.priority.trim() === '' ? '' : priorityWords(Number(draft.priority))
  return (
    <>
      <fieldset>
        <legend>Which pods</legend>
        <p class="hint">Everything that is said here has to hold. At least a namespace or a label is needed.</p>
        <TextField
          label="Namespaces of pods"
          hint="Separated by commas, as shop, demo. Empty: all."
          value={draft.namespaces}
          onValue={(namespaces) => set({ namespaces })}
          problem={problems.namespaces}
          mono
        />
        <Selectors draft={draft} onDraft={onDraft} problems={problems} />
        <TextField
          label="Command"
          hint="An expression (RE2), as node. It is looked for twice: in the command and arguments that a pod gives its container (what an image starts by itself is not known), and on the node in the names of the pod’s processes, which have 15 characters at most. Empty: any."
          value={draft.commandRegex}
          onValue={(commandRegex) => set({ commandRegex })}
          problem={problems.commandRegex}
          mono
        />
      </fieldset>
      <fieldset>
        <legend>How they are scheduled</legend>
        <div class="side">
          <TextField
            label="Priority"
            hint={`0 to 20; 0 is the strongest, and 0 to 9 may pre-empt. ${strength === '' ? '' : `Now: ${strength}.`}`}
            inputMode="numeric"
            value={draft.priority}
            onValue={(priority) => set({ priority })}
            problem={problems.priority}
          />
          <TextField
            label="Time slice, in nanoseconds"
            hint={`1000000 (1 ms) to 1000000000 (1 s). ${slice === '' ? '' : `Now: ${slice}.`}`}
            inputMode="numeric"
            value={draft.executionTime}
            onValue={(executionTime) => set({ executionTime })}
            problem={problems.executionTime}
          />
        </div>
      </fieldset>
      <fieldset>
        <legend>Where it belongs</legend>
        <TextField
          label="Namespace of the strategy"
          hint="Roles may be limited to it. Empty: none."
          value={draft.strategyNamespace}
          onValue={(strategyNamespace) => set({ strategyNamespace })}
          problem={problems.strategyNamespace}
          mono
        />
      </fieldset>
    </>
  )
}

function Selectors({ draft, onDraft, problems }: StrategyFieldsProps) {
  const list = useRef<HTMLFieldSetElement>(null)
  const { selectors } = draft
  const set = (next: StrategyDraft['selectors']): void => onDraft({ ...draft, selectors: next })
  const focusLater = (selector: string): void => {
    // Once it is drawn.
    setTimeout(() => list.current?.querySelector<HTMLElement>(selector)?.focus())
  }
  return (
    <fieldset
      class={problems.selectors === undefined ? 'rows' : 'rows wrong'}
      ref={list}
      aria-describedby={problems.selectors === undefined ? undefined : 'selectors-problem'}
    >
      <legend>Labels</legend>
      {problems.selectors === undefined ? null : (
        <p class="problem" id="selectors-problem">
          {problems.selectors}
        </p>
      )}
      {selectors.map(({ key, value }, row) => (
        <div class="row" key={row}>
          <TextField
            label={`Key${selectors.length > 1 ? ` ${row + 1}` : ''}`}
            placeholder="app"
            value={key}
            onValue={(text) => set(selectors.map((each, at) => (at === row ? { ...each, key: text } : each)))}
            problem={problems[`selectors.${row}.key`]}
            mono
          />
          <TextField
            label={`Value${selectors.length > 1 ? ` ${row + 1}` : ''}`}
            placeholder="any"
            value={value}
            onValue={(text) => set(selectors.map((each, at) => (at === row ? { ...each, value: text } : each)))}
            problem={problems[`selectors.${row}.value`]}
            mono
          />
          <Button
            label={`Remove the label ${row + 1}`}
            disabled={selectors.length === 1 && key === '' && value === ''}
            onClick={() => {
              const left = selectors.filter((_, at) => at !== row)
              set(left.length === 0 ? [{ key: '', value: '' }] : left)
              focusLater('input')
            }}
          >
            Remove
          </Button>
        </div>
      ))}
      <Button
        onClick={() => {
          set([...selectors, { key: '', value: '' }])
          focusLater('.row:last-of-type input')
        }}
      >
        Add a label
      </Button>
    </fieldset>
  )
}
