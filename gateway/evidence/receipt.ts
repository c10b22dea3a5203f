/**
 * A receipt: proof, for whoever keeps the answer, that this platform gave it. The answer in canonical form (RFC 8785) is
 * digested with SM3 and signed; anybody who holds the public key can verify it offline.
 */
import { randomUUID } from 'node:crypto';
import { canonicalize, digestOf } from '../../schema/canonical.ts';
import type { Signatures } from '../../schema/signatures/suite.ts';

export interface Receipt {
  readonly id: string;
  readonly issuedAt: string;
  readonly algorithm: string;
  readonly keyId: string;
  /** SM3 over the canonical answer without this receipt: `{data, errors, extensions}`, hex. */
  readonly digest: string;
  /** Over the canonical receipt without this field, base64url. */
  readonly signature: string;
}

/** Rejects when the suite cannot sign. `digest` is digestOf the answer's `{data, errors}`; `now` in milliseconds. */
export async function issueReceipt(suite: Signatures, digest: string, now: number): Promise<Receipt> {
  const unsigned = {
    id: randomUUID(),
    issuedAt: new Date(now).toISOString(),
    algorithm: suite.algorithm,
    keyId: suite.keyId,
    digest,
  };
  return { ...unsigned, signature: await suite.sign(canonicalize(unsigned)) };
}

/** True when the receipt is this key's and speaks of this answer: `{data, errors}` as it came, or `{data}` without errors. */
export function isReceiptOf(suite: Pick<Signatures, 'verify'>, receipt: Receipt, answer: unknown): boolean {
  return receipt.digest === digestOf(answer) && isSigned(suite, receipt);
}

/** True when the receipt is this key's, whatever the answer: that some answer of this digest was given then. */
export function isSigned(suite: Pick<Signatures, 'verify'>, receipt: Receipt): boolean {
  const { signature, ...unsigned } = receipt;
  return suite.verify(canonicalize(unsigned), signature);
}
