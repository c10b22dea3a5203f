/**
 * Signed heads of the audit log: one for each group of records that was committed together, over the last link of the group.
 *
 * A head stands twice. In the log's own store, written in the same transaction as its group: whoever can write to the
 * database but does not hold the key can neither add a record nor hash the chain anew. And in a second sink, which somebody
 * else keeps: there it tells when the end of the log was cut off, which the log itself cannot.
 */
import { z } from 'zod';
import { canonicalize } from '../../schema/canonical.ts';
import type { Signatures } from '../../schema/signatures/suite.ts';
import type { ChainEnd } from './audit-chain.ts';

const headSchema = z.strictObject({
  /** AUDIT_HEAD: the log reaches at least this far. AUDIT_CLOSING: what stood up to here was retired after its time. */
  kind: z.enum(['AUDIT_HEAD', 'AUDIT_CLOSING']),
  seq: z.int().positive(),
  /** Of the link, as it stands in the log. */
  at: z.iso.datetime({ precision: 3 }),
  /** SM3 of the link, hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  algorithm: z.enum(['SM2-SM3', 'Ed25519']),
  keyId: z.string(),
  /** Over the canonical head (RFC 8785) without this field, base64url. */
  signature: z.string(),
});

export type AuditHead = z.infer<typeof headSchema>;

export async function signHead(
  suite: Signatures,
  kind: AuditHead['kind'],
  { seq, at, hash }: ChainEnd,
): Promise<AuditHead> {
  const unsigned = {
    kind,
    seq,
    at: at.toISOString(),
    hash: hash.toString('hex'),
    algorithm: suite.algorithm,
    keyId: suite.keyId,
  };
  return { ...unsigned, signature: await suite.sign(canonicalize(unsigned)) };
}

/** One line of text, without its end. */
export const toHeadLine = (head: AuditHead): string => canonicalize(head);

/** Public halves of the keys that signed the log over the years. */
export type HeadVerifiers = readonly Pick<Signatures, 'verify' | 'keyId'>[];

/**
 * The head that a line holds; null when it is none, is not written as we write it, or is of none of these keys. Only the
 * one spelling is taken, so that a changed byte is always a changed head.
 */
export function readHead(verifiers: HeadVerifiers, line: string): AuditHead | null {
  const parsed = headSchema.safeParse(toJson(line));
  if (!parsed.success || toHeadLine(parsed.data) !== line) return null;
  const { signature, ...unsigned } = parsed.data;
  const verifier = verifiers.find(({ keyId }) => keyId === unsigned.keyId);
  return verifier?.verify(canonicalize(unsigned), signature) === true ? parsed.data : null;
}

/** A head's line in its parts: text that is always there, and characters that may stand between. */
const PARTS: readonly (readonly [text: string, then: RegExp])[] = [
  ['{"algorithm":"', /^[\w-]*/],
  ['","at":"', /^[\dTZ:.-]*/],
  ['","hash":"', /^[0-9a-f]*/],
  ['","keyId":"', /^[\w-]*/],
  ['","kind":"', /^[A-Z_]*/],
  ['","seq":', /^\d*/],
  [',"signature":"', /^[\w-]*/],
  ['"}', /^$/],
];

/** True of the beginning of a head whose end is missing, as a full disk or a power cut leaves it. */
export function isTornHead(line: string): boolean {
  let rest = line;
  for (const [text, then] of PARTS) {
    if (!rest.startsWith(text)) return text.startsWith(rest);
    rest = rest.slice(text.length).replace(then, '');
  }
  return false;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
