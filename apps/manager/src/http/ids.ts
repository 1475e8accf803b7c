import { z } from 'zod'

/** An id of a document, in a path, a query or a body: as the database writes it, or in capitals. */
export const OBJECT_ID = /^[0-9a-fA-F]{24}$/

export const ID_SHAPE = 'must be an id of this API: 24 hexadecimal digits'

export const objectId = z.string().regex(OBJECT_ID, ID_SHAPE)
