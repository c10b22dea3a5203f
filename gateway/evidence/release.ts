/**
 * How an answer leaves: recorded, confirmed, signed; in this order nothing is disclosed that is not proved.
 *
 * The consents that it rests on were in force when departments were asked; some may have been revoked since. So they are
 * confirmed when the answer is ready, while its record is made durable: each use is counted there, too. If one holds no
 * more, the answer is made anew without it (the facts are cached by then), and the record of what did not leave is corrected
 * by the next one. A register that cannot be read confirms nothing.
 */
import { createHmac, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { canonicalize, digestOf } from '../../schema/canonical.ts';
import { CONFIRMATION_HOLDS_MS } from '../../schema/consent.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { createError } from '../../schema/errors.ts';
import type { Signatures } from '../../schema/signatures/suite.ts';
import type { InternalQuestions } from '../execution/internal-questions.ts';
import { InternalQuestionError } from '../execution/internal-questions.ts';
import type { Withdrawn } from '../execution/subject-knowledge.ts';
import { NOTHING_WITHDRAWN } from '../execution/subject-knowledge.ts';
import type { GatewayAnswer } from '../http/graphql-over-http.ts';
import type { AuditLog } from './audit-log.ts';
import type { AuditRecord } from './audit-record.ts';
import type { Receipt } from './receipt.ts';
import { issueReceipt } from './receipt.ts';

/** One making of the answer. */
export interface Attempt {
  readonly body: GatewayAnswer;
  /** What the record says of it; null when nothing is disclosed or denied that needs one. */
  readonly record: Omit<AuditRecord, 'id' | 'supersedes' | 'answerHash'> | null;
  readonly consents: ReadonlySet<string>;
}

export interface ReleaseParts {
  readonly audit: AuditLog | null;
  readonly signature: Signatures | null;
  readonly questions: InternalQuestions;
  readonly consumer: string;
  /** Names this request for the count of uses; one that is repeated under the same name is counted once. */
  readonly request: string;
  /** SM3 of what is asked: a name may not be used for another question. */
  readonly digest: () => string;
  /** Id of the record that was made before a mutation was carried out: that of its answer corrects it. */
  readonly intention: string | null;
  /** A mutation is not made twice. */
  readonly isRepeatable: boolean;
  readonly log: Logger;
}

/** How often an answer is made anew because of revocations that came while it was made. */
const MOST_ATTEMPTS = 3;
/** What is left of a confirmation when an answer is handed to the network. */
const TO_LEAVE_MS = CONFIRMATION_HOLDS_MS / 2;

/** Throws AUDIT_UNAVAILABLE, IDEMPOTENCY_CONFLICT, or OVERLOADED when consents change faster than answers can be made. */
export async function release(
  parts: ReleaseParts,
  attempt: (withdrawn: Withdrawn) => Promise<Attempt>,
): Promise<GatewayAnswer> {
  let withdrawn = NOTHING_WITHDRAWN;
  let supersedes = parts.intention;
  for (let turn = 0; turn < MOST_ATTEMPTS; turn++) {
    const { body, record, consents } = await attempt(withdrawn);
    const answerHash = record === null ? null : digestOf(body);
    const full: AuditRecord | null =
      record === null ? null : { ...record, id: randomUUID(), supersedes, answerHash };
    const receipt = full?.result === 'DISCLOSED' ? await sign(parts, full.answerHash) : null;
    const [confirmation] = await Promise.all([confirm(parts, consents), append(parts, full)]);
    const leaves =
      confirmation.refused.length === 0 ? await stillConfirmed(parts, consents, confirmation) : confirmation;
    if (leaves.refused.length === 0) {
      const extensions = { ...body.extensions, ...(receipt ? { receipt } : {}) };
      return {
        ...body,
        ...(Object.keys(extensions).length > 0 ? { extensions } : {}),
        ...(consents.size > 0 ? { leaveBy: leaves.askedAt + CONFIRMATION_HOLDS_MS } : {}),
      };
    }
    const code = refusalOf(parts, leaves, turn);
    if (code !== null) {
      await withhold(parts, full);
      throw createError(code);
    }
    withdrawn = {
      ids: new Set([...withdrawn.ids, ...leaves.refused]),
      isUnknown: withdrawn.isUnknown || leaves.isUnknown,
    };
    supersedes = full?.id ?? supersedes;
  }
  throw createError('OVERLOADED');
}

/** Why an answer that may not leave is not made anew; null when it is. */
function refusalOf(parts: ReleaseParts, lost: Confirmation, turn: number): ErrorCode | null {
  if (lost.isConflict) return 'IDEMPOTENCY_CONFLICT';
  if (!parts.isRepeatable) return 'CONSENT_REQUIRED';
  return turn + 1 < MOST_ATTEMPTS ? null : 'OVERLOADED';
}

/** The record said that something leaves, and nothing does. */
async function withhold(parts: ReleaseParts, record: AuditRecord | null): Promise<void> {
  if (record === null) return;
  const { id, ...rest } = record;
  await append(parts, {
    ...rest,
    id: randomUUID(),
    result: 'WITHHELD',
    supersedes: id,
    answerHash: null,
  });
}

/** Before the record: what cannot be signed is not disclosed, and no record says that it was. */
async function sign({ signature, log }: ReleaseParts, answerHash: string | null): Promise<Receipt | null> {
  if (!signature || answerHash === null) return null;
  try {
    return await issueReceipt(signature, answerHash, Date.now());
  } catch (error) {
    log.error({ err: error }, 'an answer could not be signed');
    throw createError('RECEIPT_UNAVAILABLE');
  }
}

interface Confirmation {
  /** `performance.now()` at which it was asked for: it holds from then. */
  readonly askedAt: number;
  readonly refused: readonly string[];
  /** The register did not answer: none holds, and nobody can say why. */
  readonly isUnknown: boolean;
  /** The name of the request was used for another question. */
  readonly isConflict: boolean;
}

async function confirm(parts: ReleaseParts, consents: ReadonlySet<string>): Promise<Confirmation> {
  const askedAt = performance.now();
  if (consents.size === 0) return { askedAt, refused: [], isUnknown: false, isConflict: false };
  const ids = [...consents].sort();
  try {
    const { consumer, request, digest } = parts;
    const refused = await parts.questions.confirm({ ids, consumer, request, digest: digest() });
    return { askedAt, refused: refused.map(({ id }) => id), isUnknown: false, isConflict: false };
  } catch (error) {
    const isConflict = error instanceof InternalQuestionError && error.code === 'IDEMPOTENCY_CONFLICT';
    if (!isConflict) parts.log.warn({ err: error }, 'consents could not be confirmed');
    return { askedAt, refused: ids, isUnknown: true, isConflict };
  }
}

/** The record may have taken longer than a confirmation holds: then it is asked for again. */
async function stillConfirmed(
  parts: ReleaseParts,
  consents: ReadonlySet<string>,
  confirmation: Confirmation,
): Promise<Confirmation> {
  const isFresh = performance.now() - confirmation.askedAt < TO_LEAVE_MS;
  return isFresh || consents.size === 0 ? confirmation : confirm(parts, consents);
}

async function append({ audit }: ReleaseParts, record: AuditRecord | null): Promise<void> {
  if (record === null) return;
  if (!audit) throw createError('AUDIT_UNAVAILABLE');
  await audit.append(record);
}

/** HMAC-SM3 over what a request asks: the operation, its variables and its purpose. */
export function toRequestDigest(
  key: Uint8Array,
  asked: {
    readonly operation: string;
    readonly variables: Readonly<Record<string, unknown>>;
    readonly purpose: string;
  },
): string {
  return createHmac('sm3', key).update(canonicalize(asked)).digest('hex');
}
