import { z } from 'zod';
import { defineSubgraph } from '../define.ts';
import { createAnswerLoader } from '../loader.ts';
import { resolvers } from './resolvers.ts';
import { createHumanResourcesSource, SYSTEM } from './source.ts';

export default defineSubgraph({
  name: 'human-resources',
  owner: { zh: '天津市人力资源和社会保障局', en: 'Tianjin Human Resources and Social Security Bureau' },
  system: SYSTEM,
  settings: z.object({
    url: z.url(),
    appKey: z.string().min(1),
    appSecret: z.string().min(1),
    bodyKey: z.string().regex(/^[0-9a-f]{32}$/i, '32 hex digits'),
    perSecond: z.coerce.number().int().positive().default(5),
    deadlineMs: z.coerce.number().int().positive().default(2_000),
    coolDownMs: z.coerce.number().int().positive().default(10_000),
  }),
  connect: (context) => Promise.resolve(createHumanResourcesSource(context)),
  loaders: (source, scope) => ({
    // Persons are not asked about: what they earn and pay is nobody's business here.
    answers: createAnswerLoader(scope, {
      system: SYSTEM,
      serves: ['ORGANISATION', 'SOLE_TRADER'],
      read: source.read,
    }),
  }),
  resolvers,
});
