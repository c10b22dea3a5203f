/**
 * An answer that is older than it should be, where a department lets one stand in for none: its status says STALE, so that
 * whoever reads it knows, and its `source.asOf` stays what it was. Where that cannot be said it is not given.
 */
type Entity = Readonly<Record<string, unknown>>;

const KNOWN = ['OK', 'NONE_FOUND', 'STALE'];
const FAILED = ['TIMEOUT', 'UNAVAILABLE'];
/** A block, its facts for assessments. */
const DEEPEST = 3;

/**
 * The entity with every status STALE. Null unless whatever it says stands in blocks that each show their status: a bare
 * value, or a block whose status was not asked for, could not be told from a fresh one.
 */
export function toStale(entity: Entity | null): Entity | null {
  if (entity === null) return null;
  const marked: [string, unknown][] = [];
  for (const [name, block] of Object.entries(entity)) {
    const isSilent = block === null || name === '__typename';
    if (!isSilent && !isKnownBlock(block)) return null;
    marked.push([name, isSilent ? block : markStale(block, DEEPEST)]);
  }
  return Object.fromEntries(marked);
}

/** Whether a department says, in its block's status, that it could not find out. */
export function hasFailed(entity: Entity | null): boolean {
  return Object.values(entity ?? {}).some((block) => isBlock(block) && FAILED.includes(block['status']));
}

function isBlock(value: unknown): value is { readonly status: string } {
  return typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'string';
}

const isKnownBlock = (value: unknown): boolean => isBlock(value) && KNOWN.includes(value.status);

function markStale(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return value;
  const isKnown = isKnownBlock(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isKnown && name === 'status' ? 'STALE' : markStale(inner, depth - 1),
    ]),
  );
}
