/**
 * Who may see what, worked out from schema/catalogue.json by other code than the gateway's: an answer is judged by the law's
 * data, not by the program that is on trial. Where the gateway is stricter than this, that is over-denial and no leak.
 */
import { z } from 'zod';

const grantSchema = z.looseObject({
  principals: z.array(z.string()),
  departments: z.array(z.string()).optional(),
  purposes: z.array(z.string()).optional(),
  requires: z.string().optional(),
  mask: z.string().optional(),
});
const fileSchema = z.looseObject({
  catalogues: z.array(
    z.looseObject({
      department: z.string(),
      items: z.array(
        z.looseObject({ id: z.string(), publicity: z.string(), use: z.array(grantSchema).default([]) }),
      ),
    }),
  ),
});

export interface Asker {
  /** The consumer's id: unique to this asker. */
  readonly id: string;
  readonly kind: string;
  readonly purpose: string;
  readonly department?: string;
  /** SubjectIds that it is. */
  readonly subjects: readonly string[];
  /** SubjectId → items that the subject consented to, for this consumer and purpose. */
  readonly consents: Readonly<Record<string, readonly string[]>>;
  /** SubjectId → items of an open break-glass release. */
  readonly releases: Readonly<Record<string, readonly string[]>>;
}

export type Verdict = 'allow' | 'mask' | 'deny';

export interface Oracle {
  readonly departments: readonly string[];
  readonly items: ReadonlyMap<string, readonly z.infer<typeof grantSchema>[] | 'PUBLIC'>;
  /** Of one item and one subject (SubjectId). */
  judge(asker: Asker, item: string, subject: string): Verdict;
  /** Whether it depends on the subject at all. */
  isDenied(asker: Asker, item: string): boolean;
}

export function createOracle(catalogueJson: string): Oracle {
  const { catalogues } = fileSchema.parse(JSON.parse(catalogueJson));
  const items = new Map(
    catalogues.flatMap((catalogue) =>
      catalogue.items.map(
        ({ id, publicity, use }) => [id, publicity === 'PUBLIC' ? ('PUBLIC' as const) : use] as const,
      ),
    ),
  );
  const speaking = (asker: Asker, item: string) => {
    const grants = items.get(item);
    if (grants === undefined) return [];
    if (grants === 'PUBLIC') return 'PUBLIC';
    return grants.filter(
      ({ principals, departments, purposes }) =>
        principals.includes(asker.kind) &&
        (departments === undefined || departments.includes(asker.department ?? '')) &&
        (purposes === undefined || purposes.includes(asker.purpose)),
    );
  };
  return {
    departments: catalogues.map(({ department }) => department),
    items,
    isDenied(asker, item) {
      const grants = speaking(asker, item);
      return grants !== 'PUBLIC' && grants.length === 0;
    },
    judge(asker, item, subject) {
      const grants = speaking(asker, item);
      if (grants === 'PUBLIC') return 'allow';
      const holds = grants.some(({ requires }) => {
        if (requires === undefined) return true;
        if (requires === 'SELF') return asker.subjects.includes(subject);
        if (requires === 'CONSENT') return asker.consents[subject]?.includes(item) ?? false;
        return requires === 'BREAK_GLASS' && (asker.releases[subject]?.includes(item) ?? false);
      });
      if (!holds) return 'deny';
      return grants.some(({ mask }) => mask !== undefined) ? 'mask' : 'allow';
    },
  };
}
