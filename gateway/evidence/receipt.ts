/**
 * A receipt: proof, for whoever keeps the answer, that this platform gave it. The answer in canonical form (RFC 8785) is
 * digested with SM3 and signed; anybody who holds the public key can verify it offline.
 */
import { randomUUID } from 'node:crypto';
import { canonicalize, digestOf } from '../../schema/canonical.ts';
import type { SignatureSuite } from '../../schema/signatures/suite.ts';

export interface Receipt {
  readonly id: string;
  readonly issuedAt: string;
  readonly algorithm: string;
  readonly keyId: string;
  /** SM3 over the canonical `{data, errors}`, hex. */
  readonly digest: string;
  /** Over the canonical receipt without this field, base64url. */
  readonly signature: string;
}

export function issueReceipt(suite: SignatureSuite, digest: string, now: number): Receipt {
  const unsigned = {
    id: randomUUID(),
    issuedAt: new Date(now).toISOString(),
    algorithm: suite.algorithm,
    keyId: suite.keyId,
    digest,
  };
  return { ...unsigned, signature: suite.sign(canonicalize(unsigned)) };
}

/** True when the receipt is this key's and speaks of this answer. */
export function isReceiptOf(suite: SignatureSuite, receipt: Receipt, answer: unknown): boolean {
  const { signature, ...unsigned } = receipt;
  return receipt.digest === digestOf(answer) && suite.verify(canonicalize(unsigned), signature);
}
