import { type Limit, limitsOf } from '../logic/may.js'
import { type RoleDraft, wholePolicy, withoutPolicy, withPolicy } from '../logic/role-draft.js'
import { Button } from '../ui/basics.js'
import { CheckField, TextField } from '../ui/fields.js'

export interface PolicyLimitsProps {
  readonly permissionKey: string
  readonly draft: RoleDraft
  readonly onDraft: (draft: RoleDraft) => void
  readonly problems: Readonly<Record<string, string>>
}

const words: Readonly<Record<Exclude<Limit, 'self'>, string>> = {
  k8sNamespace: 'Only pods of the namespace',
  policyNamespace: 'Only strategies of the namespace',
}

/** What the policies of a permission are limited to. Several add up: each permits what it says. */
export function PolicyLimits({ permissionKey, draft, onDraft, problems }: PolicyLimitsProps) {
  const limits = limitsOf(permissionKey)
  const mine = draft.policies.flatMap((policy, index) =>
    policy.permissionKey === permissionKey ? [{ policy, index }] : [],
  )
  if (limits.length === 0 || mine.length === 0) return null
  const names = limits.filter((limit) => limit !== 'self')
  return (
    <div class="limits">
      {mine.map(({ policy, index }) => (
        <div class="row" key={index}>
          {limits.includes('self') ? (
            <CheckField
              label="Only on one’s own account"
              checked={policy.self}
              onChecked={(self) => onDraft(withPolicy(draft, index, { ...policy, self }))}
            />
          ) : null}
          {names.map((limit) => (
            <TextField
              key={limit}
              label={`${words[limit]}${mine.length > 1 ? ` (${mine.findIndex((each) => each.index === index) + 1})` : ''}`}
              placeholder="all"
              value={policy[limit]}
              onValue={(text) => onDraft(withPolicy(draft, index, { ...policy, [limit]: text.trim() }))}
              problem={problems[`policies.${index}.${limit}`]}
              mono
            />
          ))}
          {mine.length > 1 ? (
            <Button
              onClick={() => onDraft(withoutPolicy(draft, index))}
              label={`Remove this limit of ${permissionKey}`}
            >
              Remove
            </Button>
          ) : null}
        </div>
      ))}
      {names.length === 0 ? null : (
        <Button
          label={`Another namespace for ${permissionKey}`}
          onClick={() => onDraft({ ...draft, policies: [...draft.policies, wholePolicy(permissionKey)] })}
        >
          Another namespace
        </Button>
      )}
    </div>
  )
}
