import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { TestContext } from 'node:test'
import { type Intent, managerTo, type SchedulerReport, schedExtOf, signStatement } from '@bulkhead/intents'
import { createLog, type Service } from '@bulkhead/service-kit'
import { cleanUp } from '@bulkhead/testing'
import supertest from 'supertest'
import { createApp } from '../app.js'
import type { Route } from '../http/route.js'
import type { NodeProcesses, PodProcess } from '../processes/source.js'
import type { Manager, ReportAnswer } from '../report/manager.js'
import type { Timers } from '../report/reporter.js'

const pair = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** Made once: an RSA key takes a tenth of a second. */
export const managerKey = pair()
export const schedulerKey = pair()
export const NODE = 'node-1'
export const POD_A = '11111111-2222-3333-4444-555555555555'
export const POD_B = 'aaaaaaaa-2222-3333-4444-555555555555'

/** An intent of this node, of which a test says what matters to it. */
export const intent = (part: Partial<Intent> = {}): Intent => ({
  podName: 'web-1',
  podID: POD_A,
  nodeID: NODE,
  k8sNamespace: 'shop',
  commandRegex: '',
  priority: 5,
  executionTime: 20_000_000,
  podLabels: {},
  ...part,
})

export const running = (pid: number, command: string, part: Partial<PodProcess> = {}): PodProcess => ({
  pid,
  command,
  ppid: 1,
  startTime: String(pid * 100),
  ...part,
})

/** A manager of which a test says what it answers. */
export class TestManager implements Manager {
  readonly reports: SchedulerReport[] = []
  answer: (report: SchedulerReport, signal: AbortSignal) => Promise<ReportAnswer> = ({ rootHash }) =>
    Promise.resolve({ rootHash, inSync: true })
  closed = false

  report(report: SchedulerReport, signal: AbortSignal): Promise<ReportAnswer> {
    this.reports.push(report)
    return this.answer(report, signal)
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}

/** Timers that go when a test says so. */
export class TestTimers implements Timers {
  readonly waits: number[] = []
  #due: (() => void) | undefined

  random = (): number => 0.5

  after(ms: number, act: () => void): () => void {
    this.waits.push(ms)
    this.#due = act
    return () => {
      if (this.#due === act) this.#due = undefined
    }
  }

  /** Lets go what waits; false: nothing did. */
  fire(): boolean {
    const due = this.#due
    this.#due = undefined
    due?.()
    return due !== undefined
  }
}

export interface TestScheduler {
  readonly agent: ReturnType<typeof supertest>
  readonly service: Service
  readonly routes: readonly Route[]
  readonly manager: TestManager
  readonly timers: TestTimers
  readonly lines: string[]
  /** What runs; a test sets it, or makes it fail. */
  processes: Record<string, readonly PodProcess[]> | Error
  /** Processes that may not be read. */
  denied: number
  now: number
  /** Bearer of the manager. */
  asManager(node?: string): Promise<string>
  /** Bearer of the sched_ext scheduler. */
  asSchedExt(): Promise<string>
  put(version: number, intents: readonly Intent[]): Promise<supertest.Response>
  strategies(): Promise<readonly Strategy[]>
  start(): void
}

export interface Strategy {
  readonly pid: number
  readonly priority: number
  readonly execution_time: number
  readonly selectors?: readonly { readonly key: string; readonly value: string }[]
  readonly command_regex?: string
}

/** The service as main.ts builds it, without a process, a folder of processes or a manager. */
export function startScheduler(t: TestContext): TestScheduler {
  const lines: string[] = []
  const manager = new TestManager()
  const timers = new TestTimers()
  const state: Pick<TestScheduler, 'processes' | 'denied' | 'now'> = {
    processes: {},
    denied: 0,
    now: 1_800_000_000_000,
  }
  const { service, reporter, routes } = createApp({
    node: NODE,
    pod: 'gthulhu-scheduler-x',
    key: schedulerKey,
    managerKey: createPublicKey(managerKey),
    machineId: 'machine-1',
    processes: {
      read(): Promise<NodeProcesses> {
        const { processes } = state
        return processes instanceof Error
          ? Promise.reject(processes)
          : Promise.resolve({ at: state.now, pods: new Map(Object.entries(processes)), denied: state.denied })
      },
    },
    manager,
    timers,
    log: createLog({ name: 'scheduler', write: (line) => void lines.push(line) }),
    now: () => state.now,
  })
  cleanUp(t, () => service.close({ timeoutMs: 500 }))
  const agent = supertest(service.server)
  const asManager = async (node = NODE): Promise<string> =>
    `Bearer ${await signStatement(managerKey, managerTo(node), state.now)}`
  const asSchedExt = async (): Promise<string> => {
    const assertion = await signStatement(schedulerKey, schedExtOf(NODE), state.now)
    const { body } = await agent.post('/api/v1/auth/token').send({ client_assertion: assertion }).expect(200)
    return `Bearer ${body.data.token}`
  }
  return {
    agent,
    service,
    routes,
    manager,
    timers,
    lines,
    get processes() {
      return state.processes
    },
    set processes(processes) {
      state.processes = processes
    },
    get denied() {
      return state.denied
    },
    set denied(denied) {
      state.denied = denied
    },
    get now() {
      return state.now
    },
    set now(now) {
      state.now = now
    },
    asManager,
    asSchedExt,
    put: async (version, intents) =>
      agent
        .put('/api/v1/intents')
        .set('authorization', await asManager())
        .send({ version, intents }),
    async strategies() {
      const { body } = await agent
        .get('/api/v1/scheduling/strategies')
        .set('authorization', await asSchedExt())
        .expect(200)
      return body.scheduling
    },
    start: () => reporter.start(),
  }
}
