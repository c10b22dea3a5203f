/** One record of the audit log, as the gateway writes it (gateway/evidence/audit-record.ts): understood once, here. */
import { z } from 'zod';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';

export const recordSchema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  principal: z.object({
    kind: z.enum(PRINCIPAL_KINDS),
    id: z.string(),
    department: z.string().optional(),
  }),
  purpose: z.enum(PURPOSES),
  operation: z.string(),
  result: z.enum(['INTENDED', 'DISCLOSED', 'DENIED', 'WITHHELD']),
  subjects: z.array(z.string()),
  consents: z.array(z.string()),
  items: z.array(z.string()),
  decisions: z.array(z.string()),
  denials: z.array(
    z.object({
      item: z.string(),
      reason: z.string(),
      path: z.string(),
      decision: z.string().optional(),
    }),
  ),
  sources: z.array(z.object({ subgraph: z.string(), status: z.string() })),
  breakGlass: z.array(z.string()),
  supersedes: z.string().nullable(),
  catalogue: z.string(),
  answerHash: z.string().nullable(),
});

export type AccessRecord = z.infer<typeof recordSchema>;
