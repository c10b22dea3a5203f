/**
 * What the gateway and the register of consents agree on.
 *
 * The gateway asks twice. Before a department is asked: which consents are in force. When the answer is about to leave: do
 * those it rests on still hold, and may each be used once more (counted atomically). Between the second answer and the
 * moment at which the bytes leave there is always some time; therefore a confirmation holds for CONFIRMATION_HOLDS_MS from
 * the moment at which the gateway sent the question, and no longer, and the register acknowledges a revocation only that
 * long after it was committed. So nothing leaves after a revocation was acknowledged, whatever the clocks of the two say.
 */

/** Milliseconds; well within the second in which a revocation has to hold. */
export const CONFIRMATION_HOLDS_MS = 500;

/** Who gave a consent: the subject, the guardian of a minor (PIPL art. 31), or an agent authorised in writing. */
export const CONSENT_GIVERS = ['SELF', 'GUARDIAN', 'AGENT'] as const;
export type ConsentGiver = (typeof CONSENT_GIVERS)[number];

/** How the data reach the consumer (征信业务管理办法: personal data for scoring go through licensed bureaus). */
export const CONSENT_CHANNELS = ['PUBLIC_CREDIT_PLATFORM', 'LICENSED_BUREAU'] as const;
export type ConsentChannel = (typeof CONSENT_CHANNELS)[number];

/** Why a consent that was in force cannot be used. */
export const CONSENT_REFUSALS = ['REVOKED', 'PAUSED', 'EXPIRED', 'FREQUENCY', 'UNKNOWN'] as const;
export type ConsentRefusal = (typeof CONSENT_REFUSALS)[number];
