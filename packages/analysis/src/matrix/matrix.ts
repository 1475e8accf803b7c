import type { Resource } from '@bulkhead/resources'
import type { Flow, Snapshot, Verdict } from '@bulkhead/verdict'
import { type Board, boardOf, isOwn, questionKey } from './board.js'
import type { Destination } from './questions.js'
import type { Cell, Matrix } from './types.js'

export interface MatrixOptions {
  /**
   * All objects of the manifests, where only some are in force: the columns for what is outside are those that any policy
   * of these is about, so that a layer that is off leaves its questions behind. Default: those in force.
   */
  readonly written?: readonly Resource[]
}

/**
 * Who may call whom: every workload and the outside, against every port of every Service and of the pods themselves,
 * and against the requests that the gateways' routes take. Each cell is the engine's own word on that flow.
 */
export function matrix(snapshot: Snapshot, { written }: MatrixOptions = {}): Matrix {
  const board = boardOf(snapshot, written)
  const { sources, destinations } = board
  const cells: Cell[] = []
  for (const from of sources) {
    for (const destination of destinations) {
      if (!isOwn(from, destination)) cells.push(new Question(board, from, destination))
    }
  }
  return { sources, destinations: destinations.map(({ name }) => name), cells }
}

/**
 * Asks when it is read: a verdict is many times larger than its question, and to hold those of a large cluster costs more
 * than to ask for them again.
 */
class Question implements Cell {
  readonly from: string
  readonly #destination: Destination
  readonly #board: Board

  constructor(board: Board, from: string, destination: Destination) {
    this.from = from
    this.#destination = destination
    this.#board = board
  }

  get to(): string {
    return this.#destination.name
  }

  get key(): string {
    return questionKey(this.from, this.#destination)
  }

  get flow(): Flow {
    return this.#board.flow(this.from, this.#destination)
  }

  get verdict(): Verdict {
    return this.#board.ask(this.from, this.#destination)
  }
}
