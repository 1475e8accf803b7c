/** Codes of MongoDB's that are answered here, by their names (MongoDB, "Error Codes"). */
export const codes = {
  InternalError: 1,
  BadValue: 2,
  NoSuchKey: 4,
  FailedToParse: 9,
  UserNotFound: 11,
  UnsupportedFormat: 12,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  AuthenticationFailed: 18,
  IllegalOperation: 20,
  InvalidBSON: 22,
  AlreadyInitialized: 23,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  RoleNotFound: 31,
  FileStreamFailed: 39,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  InvalidReplicaSetConfig: 93,
  NoReplicationEnabled: 76,
  NotYetInitialized: 94,
  UnsatisfiableWriteConcern: 100,
  WriteConflict: 112,
  ConflictingOperationInProgress: 117,
  DocumentValidationFailure: 121,
  CommandNotSupported: 115,
  CannotIndexParallelArrays: 171,
  ExceededMemoryLimit: 146,
  InvalidPipelineOperator: 168,
  QueryPlanKilled: 175,
  TransactionTooOld: 225,
  TooManyLogicalSessions: 261,
  NotImplemented: 238,
  ConversionFailure: 241,
  NoSuchTransaction: 251,
  TransactionCommitted: 256,
  TransactionTooLarge: 257,
  OperationNotSupportedInTransaction: 263,
  APIVersionError: 322,
  MechanismUnavailable: 334,
  BSONObjectTooLarge: 10334,
  NotWritablePrimary: 10107,
  DuplicateKey: 11000,
  InterruptedAtShutdown: 11600,
  Interrupted: 11601,
  NotPrimaryOrSecondary: 13436,
  OutOfDiskSpace: 14031,
  Location16746: 16746,
  UnrecognizedCommandField: 40415,
  /** Projections that contradict themselves. */
  Location31250: 31250,
  Location31252: 31252,
  Location31253: 31253,
  Location31254: 31254,
  Location31325: 31325,
  /** A hello that waits, without what it waits for. */
  Location31368: 31368,
  Location31372: 31372,
  Location31382: 31382,
  /** A stage that aggregation does not have. */
  Location40324: 40324,
  /** A field that is not there and has to be. */
  Location40414: 40414,
  /** A cursor asked for from another session. */
  Location50738: 50738,
  NotARetryableWriteCommand: 50768,
  Location51003: 51003,
  /** A number that is too small. */
  Location51024: 51024,
  /** A regular expression that is none. */
  Location51091: 51091,
  // Stages and expressions of aggregation that cannot be read; MongoDB has numbers for them, and no names.
  Location15947: 15947,
  Location15955: 15955,
  Location15958: 15958,
  Location15983: 15983,
  Location15959: 15959,
  Location16020: 16020,
  Location16410: 16410,
  Location17276: 17276,
  Location28818: 28818,
  Location31120: 31120,
  Location40081: 40081,
  Location40160: 40160,
  Location40170: 40170,
  Location40228: 40228,
  Location40234: 40234,
  Location40323: 40323,
  Location40602: 40602,
  Location51272: 51272,
  Location5858203: 5858203,
  Location7749501: 7749501,
} as const

/** A failure that has a number in MongoDB and no name is called after the number. */
export type CodeName = keyof typeof codes | `Location${number}`

const isNamed = (name: CodeName): name is keyof typeof codes => Object.hasOwn(codes, name)

/**
 * A failure as MongoDB answers it: the number, its name, a sentence, and what a driver acts upon (labels, keyPattern and
 * keyValue of a duplicate key, errInfo of a validation).
 */
export class MongoError extends Error {
  override readonly name = 'MongoError'
  readonly code: number
  readonly codeName: CodeName
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>

  constructor(
    codeName: CodeName,
    message: string,
    options: { readonly labels?: readonly string[]; readonly extra?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message)
    this.code = isNamed(codeName) ? codes[codeName] : Number(codeName.slice('Location'.length))
    this.codeName = codeName
    this.labels = options.labels ?? []
    this.extra = options.extra ?? {}
  }
}
