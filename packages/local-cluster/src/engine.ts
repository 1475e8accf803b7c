import type { MeshApi, MeshOptions } from '@bulkhead/mesh'
import type { LoadResult, Resource } from '@bulkhead/resources'
import type { Compile, Judge } from '@bulkhead/verdict'

/** What the local target is made of. Tests put small stand-ins in their place. */
export interface Engine {
  /** Positions name files relative to `relativeTo`. */
  load(folders: readonly string[], relativeTo: string): Promise<LoadResult>
  /** Throws for text with a mistake in it. */
  parse(text: string, file: string): readonly Resource[]
  readonly compile: Compile
  readonly judge: Judge
  startMesh(options: MeshOptions): Promise<MeshApi>
}
