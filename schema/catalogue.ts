/**
 * 公共信用信息资源目录: the authority on who may see what (天津市社会信用条例 art. 10: an item states its publicity, sharing
 * scope and right of use). One `catalogue.yaml` per department; the policies of the graph are the names of its items.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { MASK_KINDS } from './identifiers/mask.ts';
import type { Law } from './law.ts';
import { lawSchema, loadLaw, ruleOf } from './law.ts';
import { PRINCIPAL_KINDS, PURPOSES } from './purpose.ts';
import type { PrincipalKind, Purpose } from './purpose.ts';

const text = z.object({ zh: z.string().min(1), en: z.string().min(1) }).strict();

/** ISO 8601 duration of days, hours, minutes or seconds → seconds. */
const duration = z
  .string()
  .regex(/^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?$/, 'a duration such as P1D or PT10M')
  .transform((iso) => {
    const part = (unit: string, of: string) => Number(new RegExp(`(\\d+)${unit}`).exec(of)?.[1] ?? 0);
    const [date = '', time = ''] = iso.split('T');
    return part('D', date) * 86_400 + part('H', time) * 3_600 + part('M', time) * 60 + part('S', time);
  });

const grant = z
  .object({
    principals: z.array(z.enum(PRINCIPAL_KINDS)).nonempty(),
    /** For principals of kind `department`: only officers of these. */
    departments: z.array(z.string()).nonempty().optional(),
    /** Left out: any purpose that the principal's token grants. */
    purposes: z.array(z.enum(PURPOSES)).nonempty().optional(),
    /**
     * CONSENT: the subject's live consent for this purpose; SELF: the principal is the subject or acts for it; BREAK_GLASS: an
     * officer's open release for this subject and item (purpose EMERGENCY).
     */
    requires: z.enum(['CONSENT', 'SELF', 'BREAK_GLASS']).optional(),
    mask: z.enum(MASK_KINDS).optional(),
  })
  .strict();

const item = z
  .object({
    id: z.string().regex(/^[a-z][a-z-]*\.[a-z][a-z-]*$/, 'an id such as tax.grade'),
    name: text,
    /** What it holds, in the words of the law (law.yaml). */
    category: z.string().regex(/^[a-z][a-z-]*$/),
    /** 公开属性. A PUBLIC item is for everyone, any purpose; its `use` stays empty. */
    publicity: z.enum(['PUBLIC', 'NOT_PUBLIC']),
    /** 共享范围. */
    sharing: z.enum(['UNCONDITIONAL', 'CONDITIONAL', 'NOT_SHARED']),
    /** 使用权限. */
    use: z.array(grant).default([]),
    basis: z.array(z.string().min(1)).nonempty(),
    /** L1 public … L4 sensitive personal information (PIPL art. 28). */
    sensitivity: z.enum(['L1', 'L2', 'L3', 'L4']),
    retention: duration,
    /** 更新周期; that of the whole catalogue where the item has none of its own. */
    updateCycle: duration.optional(),
  })
  .strict();

const catalogueSchema = z
  .object({
    department: z.string().regex(/^[a-z][a-z-]*$/),
    name: text,
    version: z.string().min(1),
    updateCycle: duration,
    /** How long the gateway may keep an answer. */
    maxAge: duration,
    /** How long it may keep that there is nothing; left out: a minute, or maxAge where that is less. */
    maxAgeOfNothing: duration.optional(),
    /**
     * How long beyond its time an answer may stand in for a fresh one, marked STALE: while one is fetched, and when none
     * could be had. Left out: never. What may be seen with consent stands in only with `withConsent`.
     */
    stale: z
      .object({
        whileRevalidating: duration.optional(),
        onError: duration.optional(),
        withConsent: z.boolean().default(false),
      })
      .strict()
      .optional(),
    /** From this age of `asOf` on an answer is marked STALE; left out where the department does not say as of when. */
    staleAfter: duration.optional(),
    items: z.array(item).nonempty(),
  })
  .strict();

export type Grant = z.infer<typeof grant>;
export type CatalogueItem = z.infer<typeof item>;
export type DepartmentCatalogue = z.infer<typeof catalogueSchema>;

/** All items of the platform by id, each with the version of the catalogue that it stands in. */
export type Catalogue = ReadonlyMap<string, CatalogueItem & { readonly version: string }>;

/** What every decision rests on. `version` names the versions of all departments' catalogues together, and that of the law. */
export interface Rules {
  readonly catalogue: Catalogue;
  readonly law: Law;
  readonly version: string;
}

export class CatalogueError extends Error {
  constructor(file: string, problems: readonly string[]) {
    super(`${file} is not a valid catalogue:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'CatalogueError';
  }
}

/** Reads and checks one catalogue.yaml, and adds the item `<department>.status` (see `toStatusItem`). */
export function loadCatalogue(file: string): DepartmentCatalogue {
  return parseCatalogue(parse(readFileSync(file, 'utf8')), file);
}

export function parseCatalogue(input: unknown, origin: string): DepartmentCatalogue {
  const parsed = catalogueSchema.safeParse(input);
  if (!parsed.success)
    throw new CatalogueError(
      origin,
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
    );
  const catalogue = parsed.data;
  const law = loadLaw();
  const ids = catalogue.items.map(({ id }) => id);
  const problems = [
    ...ids.filter((id) => !id.startsWith(`${catalogue.department}.`)).map((id) => `${id}: belongs elsewhere`),
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `${id}: stands twice`),
    ...ids.filter((id) => id.endsWith('.status')).map((id) => `${id}: is made by the loader`),
    ...catalogue.items
      .filter(({ publicity, use }) => publicity === 'PUBLIC' && use.length > 0)
      .map(({ id }) => `${id}: is PUBLIC, so its use cannot be narrowed`),
    ...catalogue.items
      .filter(({ publicity, use }) => publicity === 'NOT_PUBLIC' && use.length === 0)
      .map(({ id }) => `${id}: nobody may use it; leave it out of the graph`),
  ];
  problems.push(...catalogue.items.flatMap((one) => findLawBreaches(law, one)));
  if (problems.length > 0) throw new CatalogueError(origin, problems);
  return {
    ...catalogue,
    items: [...catalogue.items, toStatusItem(catalogue)] as DepartmentCatalogue['items'],
  };
}

/** What the law forbids an item to be: each breach names the clauses. */
function findLawBreaches(law: Law, one: CatalogueItem): readonly string[] {
  const { rule, clauses } = ruleOf(law, one);
  if (rule === 'NEVER' || rule === 'SEALED')
    return [`${one.id}: information of category ${one.category} may not be shared (${clauses.join('、')})`];
  if (rule !== 'WRITTEN_CONSENT') return [];
  const isOpen =
    one.publicity === 'PUBLIC' ||
    one.use.some(({ requires, principals }) => requires === undefined && !principals.includes('department'));
  return isOpen
    ? [`${one.id}: ${one.category} may be used with written consent only (${clauses.join('、')})`]
    : [];
}

/** Catalogues of all departments, and the law → the one file that the gateway reads (generated, see `npm run compose`). */
export function renderCatalogueFile(catalogues: readonly DepartmentCatalogue[]): string {
  return `${JSON.stringify({ law: loadLaw(), catalogues }, null, 2)}\n`;
}

const storedSchema = z.object({
  law: lawSchema,
  catalogues: z.array(
    z.object({
      version: z.string(),
      updateCycle: z.number().optional(),
      items: z.array(item.extend({ retention: z.number(), updateCycle: z.number().optional() })),
    }),
  ),
});

/** Reads what `renderCatalogueFile` wrote. */
export function readCatalogueFile(text: string, file: string): Rules {
  const parsed = storedSchema.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new CatalogueError(
      file,
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
    );
  const { catalogues, law } = parsed.data;
  const catalogue = new Map(
    catalogues.flatMap(({ version, updateCycle, items }) =>
      items.map((one) => [
        one.id,
        { ...(updateCycle === undefined ? {} : { updateCycle }), ...one, version },
      ]),
    ),
  );
  const versions = [...new Set(catalogues.map(({ version }) => version))].sort().join('+');
  return { catalogue, law, version: `${versions}/law-${law.version}` };
}

/** Nothing is catalogued: whatever is behind a policy is denied. */
export const NO_RULES: Rules = { catalogue: new Map(), law: loadLaw(), version: 'none' };

/** The grants of an item that speak of this principal and purpose; empty means no. */
export function grantsFor(
  item: CatalogueItem,
  principal: {
    readonly kind: PrincipalKind;
    readonly department?: string | undefined;
    readonly purpose: Purpose;
  },
): readonly Grant[] {
  if (item.publicity === 'PUBLIC') return [{ principals: [principal.kind] }];
  return item.use.filter(
    ({ principals, departments, purposes }) =>
      principals.includes(principal.kind) &&
      (!departments || (principal.department !== undefined && departments.includes(principal.department))) &&
      (!purposes || purposes.includes(principal.purpose)),
  );
}

/**
 * `status` and `source` of a block already tell something (OK or NONE_FOUND), so whoever is granted any item of the block,
 * and nobody else, is granted them. One item, not an OR list over the others: composition multiplies OR lists.
 */
function toStatusItem(catalogue: z.infer<typeof catalogueSchema>): CatalogueItem {
  const isPublic = catalogue.items.some(({ publicity }) => publicity === 'PUBLIC');
  const law = loadLaw();
  const ordinary = catalogue.items.find((one) => ruleOf(law, one).rule === 'ORDINARY');
  return {
    id: `${catalogue.department}.status`,
    name: {
      zh: `${catalogue.name.zh}答复状态与出处`,
      en: `Status and source of the answer of ${catalogue.name.en}`,
    },
    // It tells less than any item of the block: of the mildest kind among them.
    category: (ordinary ?? catalogue.items[0])?.category ?? 'service',
    publicity: isPublic ? 'PUBLIC' : 'NOT_PUBLIC',
    sharing: 'CONDITIONAL',
    use: isPublic ? [] : catalogue.items.flatMap(({ use }) => use.map(({ mask: _, ...rest }) => rest)),
    basis: ['天津市社会信用条例第十条'],
    sensitivity: 'L1',
    retention: Math.max(...catalogue.items.map(({ retention }) => retention)),
  };
}
