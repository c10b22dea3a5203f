import { z } from 'zod';
import { defineSubgraph } from '../define.ts';
import { createPublicSecurityLoaders } from './loaders.ts';
import { resolvers } from './resolvers.ts';
import { createPublicSecuritySource, SYSTEM } from './source.ts';

/** "HH:MM-HH:MM" in China Standard Time; equal ends mean always. */
const serviceWindow = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'hours such as 08:30-17:30')
  .transform((text) => ({ from: text.slice(0, 5), to: text.slice(6) }));

export default defineSubgraph({
  name: 'public-security',
  owner: { zh: '天津市公安局', en: 'Tianjin Public Security Bureau' },
  system: SYSTEM,
  settings: z.object({
    url: z.url(),
    accessKey: z.string().min(1),
    window: z.string().default('08:30-17:30').pipe(serviceWindow),
    dailyQuota: z.coerce.number().int().positive().default(5_000),
    deadlineMs: z.coerce.number().int().positive().default(2_000),
    coolDownMs: z.coerce.number().int().positive().default(10_000),
  }),
  connect: (context) => Promise.resolve(createPublicSecuritySource(context)),
  loaders: createPublicSecurityLoaders,
  resolvers,
});
