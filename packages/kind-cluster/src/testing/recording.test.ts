import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contextName, kubectlArgs } from '../place.js'
import type { Command } from '../tools.js'
import { recordingTools } from './recording.js'

const kubeconfig = '/clone/.bulkhead/kind/kubeconfig'
const command = (tool: Command['tool'], ...args: string[]): Command => ({ tool, args, timeoutMs: 1_000 })
const nodes = command('kubectl', ...kubectlArgs({ kubeconfig }), 'get', 'nodes')

describe('recording tools', () => {
  it('answer from the table, in turn or made for the command, and record what they were asked', async () => {
    const tools = recordingTools([
      ['kubectl get nodes', [{ code: 1 }, { stdout: 'node/a\nnode/b\n' }]],
      [/^docker (info|version)/, ({ args }, nth) => ({ stdout: `${args[0]} ${nth}` })],
    ])
    const lines: string[] = []
    assert.equal((await tools.run(nodes)).code, 1)
    assert.equal((await tools.run(nodes, { onLine: (line) => lines.push(line) })).code, 0)
    assert.equal((await tools.run(nodes)).stdout, 'node/a\nnode/b\n')
    assert.equal((await tools.run(command('docker', 'version'))).stdout, 'version 0')
    assert.deepEqual(lines, ['node/a', 'node/b'])
    const line = 'kubectl get nodes'
    assert.deepEqual(tools.lines(), [line, line, line, 'docker version'])
    assert.equal(tools.asked[0], nodes)
  })

  it('fail for what is not in the table; words are whole', async () => {
    const tools = recordingTools([['kubectl get node', {}]])
    await assert.rejects(tools.run(nodes), /no answer for: kubectl get nodes$/)
    assert.deepEqual(tools.unused(), ['kubectl get node'])
  })

  it('fail as tools fail, and hang until they are called off', async () => {
    const tools = recordingTools([
      ['kind', { fails: 'missing' }],
      ['helm', { hangs: true, stdout: 'so far\n' }],
    ])
    await assert.rejects(tools.run(command('kind', 'version')), { name: 'ToolError', code: 'missing' })
    const abort = new AbortController()
    const run = tools.run(command('helm', 'list'), { signal: abort.signal })
    abort.abort(new Error('Ctrl-C'))
    await assert.rejects(run, /Ctrl-C/)
    await assert.rejects(tools.run(command('helm', 'list')), /no signal/)
  })

  it('know who does not say that our cluster is meant', async () => {
    const tools = recordingTools([[/./, {}]])
    await tools.run(nodes)
    await tools.run(command('docker', 'info'))
    assert.deepEqual(tools.astray(kubeconfig), [])
    await tools.run(command('kubectl', '--kubeconfig', kubeconfig, 'delete', 'namespace', 'shop'))
    await tools.run(command('kubectl', ...kubectlArgs({ kubeconfig: '/elsewhere' }), 'get', 'pods'))
    await tools.run(command('helm', '--kubeconfig', kubeconfig, '--context', contextName, 'list'))
    const astray = ['kubectl delete namespace shop', 'kubectl get pods', `helm --context ${contextName} list`]
    assert.deepEqual(tools.astray(kubeconfig), astray)
  })
})
