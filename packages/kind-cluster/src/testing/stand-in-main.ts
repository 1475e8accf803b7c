import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { StandInAnswer } from './stand-ins.js'

/*
 * One program for every stand-in: `node stand-in-main.js FOLDER TOOL ARGS...`.
 */

const [folder = '', tool = '', ...args] = process.argv.slice(2)
const answers: readonly StandInAnswer[] = JSON.parse(readFileSync(join(folder, `${tool}.json`), 'utf8'))
const unknown = { code: 97, stderr: `no answer for: ${tool} ${args.join(' ')}\n` }
const answer: Omit<StandInAnswer, 'args'> = answers.find((one) => new RegExp(one.args).test(args.join(' '))) ?? unknown

const hang = 'process.on("SIGTERM", () => {}); process.stdout.write(""); setInterval(() => {}, 1e6)'
const stdin = answer.ignoresStdin === true ? '' : (await buffer(process.stdin)).toString()
if (answer.hangs === 'deaf') process.on('SIGTERM', () => {})
if (answer.hangs === 'tidies')
  process.on('SIGTERM', () => setTimeout(() => process.stdout.write('tidied\n', () => process.exit(0)), 200))
const child = answer.child && spawn(process.execPath, ['-e', hang], { stdio: ['ignore', 'inherit', 'inherit'] })
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(KUBE|HELM|DOCKER|KIND)/.test(name)))
const asked = { tool, args, stdin, cwd: process.cwd(), env, pid: process.pid, child: child?.pid }
appendFileSync(join(folder, 'asked.jsonl'), `${JSON.stringify(asked)}\n`)

/** Told to the end: what is written to a pipe may not be there yet when the process exits. */
const say = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => {
    stream.write(text, () => resolve())
  })
const { stdout = '', times = 1 } = answer
for (let left = times; left > 0; left -= 1) await say(process.stdout, stdout)
await say(process.stderr, answer.stderr ?? '')
if (answer.hangs !== undefined || answer.child === 'stays') setInterval(() => {}, 1e6)
else if (answer.signal !== undefined) process.kill(process.pid, answer.signal)
else process.exit(answer.code ?? 0)
