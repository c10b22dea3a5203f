/** What we ask of docker-compose.yml beyond the Compose schema, one readable sentence for each breach. Pure. */
import { z } from 'zod';

const service = z.looseObject({
  image: z.string().optional(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).default({}),
  ports: z.array(z.union([z.string(), z.number()])).default([]),
  healthcheck: z.looseObject({ test: z.unknown(), disable: z.boolean().optional() }).optional(),
  depends_on: z
    .union([z.array(z.string()), z.record(z.string(), z.object({ condition: z.string() }))])
    .default({}),
  deploy: z
    .object({ resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }) })
    .optional(),
  read_only: z.boolean().default(false),
  privileged: z.boolean().default(false),
  security_opt: z.array(z.string()).default([]),
});
const composeFile = z.looseObject({ services: z.record(z.string(), service) });

/** The image that is ours, and the roles that it knows. */
const OUR_IMAGE = /^jinxin:/;
const ROLES = ['gateway', 'subgraphs', 'simulators'] as const;

const SECRET = /PASSWORD|PRIVATE_KEY|PUBLIC_KEY|_KEYS$|SECRET|TOKEN/;

export function findComposeBreaches(input: unknown): readonly string[] {
  return Object.entries(composeFile.parse(input).services).flatMap(([name, service]) =>
    breachesOf(service).map((breach) => `${name}: ${breach}`),
  );
}

function breachesOf(given: z.infer<typeof service>): readonly string[] {
  const breaches: string[] = [];
  const tag = /:([^:/@]+)$/.exec(given.image ?? '')?.[1];
  if (tag === undefined || !/\d+\.\d+/.test(tag))
    breaches.push(`image ${given.image ?? '(none)'} is not pinned`);
  if (given.healthcheck?.test === undefined || given.healthcheck.disable)
    breaches.push('has no health check');
  if (!given.deploy) breaches.push('has no limits of CPU and memory');
  if (!given.read_only) breaches.push('can write to its own image');
  if (given.privileged) breaches.push('is privileged');
  if (!given.security_opt.includes('no-new-privileges:true')) breaches.push('may gain privileges');
  for (const port of given.ports)
    if (!String(port).startsWith('127.0.0.1:')) breaches.push(`port ${port} is open to the network`);
  const conditions = Array.isArray(given.depends_on)
    ? given.depends_on.map((on) => [on, 'started'] as const)
    : Object.entries(given.depends_on).map(([on, { condition }]) => [on, condition] as const);
  for (const [on, condition] of conditions)
    if (condition !== 'service_healthy') breaches.push(`does not wait until ${on} is healthy`);
  for (const [variable, value] of Object.entries(given.environment))
    breaches.push(...secretBreaches(variable, value));
  if (OUR_IMAGE.test(given.image ?? '')) {
    const role = Array.isArray(given.command) ? given.command[0] : given.command?.split(' ')[0];
    if (!ROLES.some((known) => known === role))
      breaches.push(`${role ?? 'no command'} is not a role of our image`);
  }
  return breaches;
}

/** A secret comes from outside and has no default: `${NAME:?why}` whole, or inside a URL. */
function secretBreaches(variable: string, value: string | number | null): readonly string[] {
  const text = String(value ?? '');
  const breaches: string[] = [];
  if (SECRET.test(variable) && value !== null && !/^\$\{\w+:\?[^}]+\}$/.test(text) && text !== '1')
    breaches.push(`${variable} must read \${NAME:?why}`);
  for (const [, password = ''] of text.matchAll(/:\/\/[^@/\s:]*:([^@]*)@/g))
    if (!/^\$\{\w+:\?[^}]+\}$/.test(password)) breaches.push(`${variable} holds a password`);
  for (const [whole, name = ''] of text.matchAll(/\$\{(\w+):?-[^}]*\}/g))
    if (SECRET.test(name)) breaches.push(`${variable} has a default for a secret: ${whole}`);
  return breaches;
}
