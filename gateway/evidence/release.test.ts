import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { auditRecord } from '../../tests/kit/audit-record.ts';
import { NOTHING_WITHDRAWN } from '../execution/subject-knowledge.ts';
import type { Withdrawn } from '../execution/subject-knowledge.ts';
import type { AuditRecord } from './audit-record.ts';
import type { ReleaseParts } from './release.ts';
import { release } from './release.ts';

/** The parts of a release as far as one takes them, and what was recorded and logged. */
function createParts(change: Partial<ReleaseParts>) {
  const [records, lines]: [AuditRecord[], string[]] = [[], []];
  const parts: ReleaseParts = {
    audit: {
      append: (record) => {
        records.push(record);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    },
    signature: null,
    questions: {
      confirm: () => Promise.resolve([]),
      consents: () => Promise.resolve(new Map()),
      releases: () => Promise.resolve(new Map()),
      states: () => Promise.resolve(new Map()),
    },
    consumer: 'bank-a',
    request: 'r',
    digest: () => 'd',
    intention: null,
    isRepeatable: true,
    log: pino({ level: 'warn' }, { write: (line) => lines.push(line) }),
    ...change,
  };
  return { parts, records, lines };
}

const { id: _, supersedes: __, answerHash: ___, ...record } = auditRecord('o');
const attempt = () => Promise.resolve({ body: { data: { a: 1 } }, record, consents: new Set(['c1']) });

it('discloses nothing that cannot be signed, records no disclosure of it, and says why to whoever runs it', async () => {
  const { parts, records, lines } = createParts({
    signature: {
      algorithm: 'SM2-SM3',
      keyId: 'k',
      sign: () => Promise.reject(new Error('the device is locked')),
      verify: () => false,
    },
  });
  await expect(release(parts, attempt)).rejects.toMatchObject({
    extensions: { code: 'RECEIPT_UNAVAILABLE' },
  });
  expect(records).toEqual([]);
  expect(lines.join('')).toContain('the device is locked');
});

it('makes the answer anew without consents that nobody can confirm, and says why to whoever runs it', async () => {
  const { parts, records, lines } = createParts({});
  const tried: Withdrawn[] = [];
  const answer = await release(
    {
      ...parts,
      questions: { ...parts.questions, confirm: () => Promise.reject(new Error('the register is gone')) },
    },
    (withdrawn) => {
      tried.push(withdrawn);
      return tried.length === 1
        ? attempt()
        : Promise.resolve({ body: { data: { a: null } }, record, consents: new Set<string>() });
    },
  );
  expect(answer).toEqual({ data: { a: null } });
  expect(tried).toEqual([NOTHING_WITHDRAWN, { ids: new Set(['c1']), isUnknown: true }]);
  expect(records.map(({ supersedes }) => supersedes)).toEqual([null, records[0]?.id]);
  expect(lines.join('')).toContain('the register is gone');
});
