/**
 * What reading an identifier gives. `normalised` says whether the input had to be changed to get the value.
 * Messages name the check and never repeat the input: people paste one identifier where another belongs.
 */
export type Parsed<Value, Check extends string = string> =
  { readonly ok: true; readonly value: Value; readonly normalised: boolean } | Failed<Check>;

export interface Failed<Check extends string = string> {
  readonly ok: false;
  /** The check that failed. */
  readonly code: Check;
  readonly message: string;
  readonly messageZh: string;
  /** A likely spelling that passes every check. For the reader to decide; it is never applied. */
  readonly hint?: string;
}

/** Builds the failure of one check from a table of messages. */
export function toFailed<Check extends string>(
  messages: Readonly<Record<Check, { readonly en: string; readonly zh: string }>>,
  code: Check,
  hint?: string,
): Failed<Check> {
  const { en, zh } = messages[code];
  return { ok: false, code, message: en, messageZh: zh, ...(hint === undefined ? {} : { hint }) };
}
