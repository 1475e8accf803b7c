import { useRef, useState } from 'preact/hooks'
import { pageOf } from '../api/resources.js'
import { type Checked, checkedOf, type Health, paths, remember } from '../logic/health.js'
import { may } from '../logic/may.js'
import { linkTo } from '../logic/where.js'
import { timeWords, userStatusWords } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useEvery, useLoad } from '../state/load.js'
import { Button, Failure, Heading, Loading, Pill } from '../ui/basics.js'
import { CheckField } from '../ui/fields.js'

const EVERY_MS = 5_000

export function Overview() {
  return (
    <>
      <Heading>Overview</Heading>
      <div class="cards">
        <FirstSteps />
        <You />
        <HealthCard />
        <Version />
      </div>
    </>
  )
}

/** What to do next, for somebody who sees this for the first time. */
function FirstSteps() {
  const { api, session } = useApp()
  const reads = may(session, 'schedule_strategy.read')
  const { data } = useLoad(
    async (signal) => (reads ? pageOf(api, 'strategies', { limit: 1 }, signal) : { items: [], next: undefined }),
    [reads],
  )
  const none = data?.items.length === 0
  const nothing = session.permissions.length === 0
  return (
    <section class="card" aria-labelledby="steps">
      <h2 id="steps">What to do here</h2>
      <p>
        A <strong>strategy</strong> says which pods are scheduled how. The manager looks up the pods that match, makes
        an <strong>intent</strong> for each, and tells the scheduler of each node.
      </p>
      {nothing ? (
        <p class="box fair">
          None of your roles permits anything yet. Ask who looks after users to give you one; it is in force at once,{' '}
          without a new login.
        </p>
      ) : (
        <ul class="steps">
          {may(session, 'schedule_strategy.create') ? (
            <li>
              <a href={linkTo({ screen: 'strategy-new' })}>
                {none && reads ? 'Make your first strategy' : 'Make a strategy'}
              </a>
              : by namespace, label and command
            </li>
          ) : null}
          {may(session, 'schedule_intent.read') ? (
            <li>
              <a href={linkTo({ screen: 'intents' })}>Look at the intents</a>: which pods that is, node by node
            </li>
          ) : null}
          {may(session, 'pod_pid_mapping.read') ? (
            <li>
              <a href={linkTo({ screen: 'nodes' })}>Look at the nodes</a>: their schedulers, and the processes of their
              pods
            </li>
          ) : null}
          {may(session, 'user.create') ? (
            <li>
              <a href={linkTo({ screen: 'users' })}>Make accounts for others</a>, and give them a{' '}
              <a href={linkTo({ screen: 'roles' })}>role</a>
            </li>
          ) : null}
          {may(session, 'audit.read') ? (
            <li>
              <a href={linkTo({ screen: 'audit' })}>Read who did what</a>
            </li>
          ) : null}
        </ul>
      )}
    </section>
  )
}

function You() {
  const { session, refresh } = useApp()
  const { username, roles, status } = session.user
  return (
    <section class="card" aria-labelledby="you">
      <h2 id="you">You</h2>
      <dl class="facts">
        <dt>Username</dt>
        <dd>{username}</dd>
        <dt>Roles</dt>
        <dd>{roles.length === 0 ? 'none' : roles.join(', ')}</dd>
        <dt>Status</dt>
        <dd>{userStatusWords(status)}</dd>
        <dt>Logged in until</dt>
        <dd>
          <time dateTime={session.expiresAt}>{timeWords(session.expiresAt)}</time>
        </dd>
      </dl>
      <div class="buttons">
        <a class="button quiet" href={linkTo({ screen: 'password' })}>
          Change the password
        </a>
        <Button onClick={() => void refresh()}>Look again what I may do</Button>
      </div>
    </section>
  )
}

const words: Readonly<Record<Health, readonly [kind: 'good' | 'fair' | 'bad' | 'plain', words: string]>> = {
  good: ['good', 'Well'],
  bad: ['bad', 'Not well'],
  closed: ['plain', 'Not published here'],
  silent: ['bad', 'No answer'],
}

function HealthCard() {
  const { api } = useApp()
  const [auto, setAuto] = useState(true)
  const [history, setHistory] = useState<Readonly<Record<string, readonly Checked[]>>>({})
  const wanted = useRef(true)
  const { loading, reload } = useLoad(async () => {
    // What a wall keeps inside stays there: it is asked again when somebody wants to know.
    const asked = paths.filter(({ path }) => wanted.current || history[path]?.at(-1)?.health !== 'closed')
    wanted.current = false
    const checked = await Promise.all(
      asked.map(async ({ path }) => {
        const began = performance.now()
        const answer = await api.probe(path).catch(() => undefined)
        return [path, checkedOf(answer, performance.now() - began)] as const
      }),
    )
    setHistory((before) => ({
      ...before,
      ...Object.fromEntries(checked.map(([path, one]) => [path, remember(before[path] ?? [], one)])),
    }))
    return checked
  }, [])
  useEvery(EVERY_MS, auto && !loading, reload, history)
  return (
    <section class="card" aria-labelledby="health">
      <h2 id="health">Health</h2>
      <dl class="facts health">
        {paths.map(({ path, what }) => {
          const all = history[path] ?? []
          const last = all.at(-1)
          return [
            <dt key={`${path} name`}>
              <code>{path}</code>
              <span class="hint">{what}</span>
            </dt>,
            <dd key={path}>
              {last === undefined ? (
                '…'
              ) : (
                <>
                  <Pill kind={words[last.health][0]}>{words[last.health][1]}</Pill>{' '}
                  <span class="small">{last.says}</span>
                  <span
                    class="dots"
                    role="img"
                    aria-label={`the last ${all.length}: ${all.map(({ health }) => words[health][1]).join(', ')}`}
                  >
                    {all.map((one, index) => (
                      <span key={index} class={`dot ${words[one.health][0]}`} />
                    ))}
                  </span>
                </>
              )}
            </dd>,
          ]
        })}
      </dl>
      <div class="buttons">
        <Button
          busy={loading}
          onClick={() => {
            wanted.current = true
            reload()
          }}
        >
          Check now
        </Button>
        <CheckField label={`Every ${EVERY_MS / 1_000} s`} checked={auto} onChecked={setAuto} />
      </div>
    </section>
  )
}

interface VersionAnswer {
  readonly message: string
  readonly version: string
}

const isVersion = (body: unknown): body is VersionAnswer =>
  typeof body === 'object' && body !== null && 'version' in body && 'message' in body

function Version() {
  const { api } = useApp()
  const { data, error, loading, reload } = useLoad(async () => (await api.probe('/version')).body, [])
  return (
    <section class="card" aria-labelledby="version">
      <h2 id="version">Version</h2>
      {loading && data === undefined ? <Loading what="the version" /> : null}
      <Failure error={error} retry={reload} />
      {isVersion(data) ? (
        <dl class="facts">
          <dt>Service</dt>
          <dd>{String(data.message)}</dd>
          <dt>API</dt>
          <dd>{String(data.version)}</dd>
          <dt>Description</dt>
          <dd>
            <a href="/swagger/index.html">to be read</a>, <a href="/openapi.json">for programs</a>
          </dd>
        </dl>
      ) : null}
    </section>
  )
}
