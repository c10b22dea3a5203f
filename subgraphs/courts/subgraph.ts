import { z } from 'zod';
import { defineSubgraph } from '../define.ts';
import { createAnswerLoader } from '../loader.ts';
import { resolvers } from './resolvers.ts';
import { createCourtsSource, SYSTEM } from './source.ts';

export default defineSubgraph({
  name: 'courts',
  owner: { zh: '天津市高级人民法院', en: 'High People’s Court of Tianjin' },
  system: SYSTEM,
  settings: z.object({
    url: z.url(),
    user: z.string().min(1),
    password: z.string().min(1),
    deadlineMs: z.coerce.number().int().positive().default(2_000),
    coolDownMs: z.coerce.number().int().positive().default(10_000),
  }),
  connect: (context) => Promise.resolve(createCourtsSource(context)),
  loaders: (source, scope) => ({
    // Persons are not asked about: the courts mask their numbers, and a masked number fits many people.
    answers: createAnswerLoader(scope, {
      system: SYSTEM,
      serves: ['ORGANISATION', 'SOLE_TRADER'],
      read: source.read,
    }),
  }),
  resolvers,
});
