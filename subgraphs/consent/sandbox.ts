/**
 * Standing consents of a sandbox: a consumer may ask about every subject without anybody having consented. Made for trials
 * on synthetic data; production refuses them when it is configured, and again whenever consents are looked up.
 */
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Purpose } from '../../schema/purpose.ts';
import { PURPOSES } from '../../schema/purpose.ts';
import { ANY } from './register.ts';

export interface StandingGrant {
  readonly consumer: string;
  readonly purpose: Purpose;
}

const YEAR_MS = 366 * 86_400_000;

/** "bank-a:LOAN_ORIGINATION,bank-b:LOAN_MONITORING" → grants; null where a part does not read so. */
export function parseStandingGrants(text: string): readonly StandingGrant[] | null {
  const grants: StandingGrant[] = [];
  for (const part of text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')) {
    const [, consumer, name] = /^([\w.-]{1,128}):([A-Z_]+)$/.exec(part) ?? [];
    const purpose = PURPOSES.find((one) => one === name);
    if (consumer === undefined || purpose === undefined) return null;
    grants.push({ consumer, purpose });
  }
  return grants;
}

/** Makes these, and no others, the standing consents. `now` in ms. */
export async function putStandingGrants(
  pool: Pool,
  grants: readonly StandingGrant[],
  now: number,
): Promise<void> {
  const ids = grants.map(toId);
  await pool.query('DELETE FROM consent.artefact WHERE subject_id = $1 AND NOT id = ANY($2::uuid[])', [
    ANY,
    ids,
  ]);
  for (const { consumer, purpose } of grants)
    await pool.query(
      `INSERT INTO consent.artefact (subject_id, id, consumer, purpose, items, written_items, state, data_life_days, granted_by, granted_at, expires_at, digest)
       VALUES ($1, $2, $3, $4, $5, $5, 'ACTIVE', 1, 'sandbox', $6, $7, 'sandbox')
       ON CONFLICT (subject_id, id) DO UPDATE SET expires_at = excluded.expires_at, written_items = excluded.written_items`,
      [ANY, toId({ consumer, purpose }), consumer, purpose, [ANY], new Date(now), new Date(now + YEAR_MS)],
    );
}

/** The same grant has the same id in every process that starts. */
function toId({ consumer, purpose }: StandingGrant): string {
  const hex = createHash('sha256').update(`sandbox ${consumer} ${purpose}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
