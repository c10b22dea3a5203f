/** The statuses that departments gave their blocks, for the audit record: whether an answer rested on what was known. */

/** How deep a block can lie in what one fetch brings: `_entities`, its list, the entity, the block, its facts. */
const DEEPEST = 5;

/** Distinct values of `status` in capitals, wherever they stand near the top. */
export function statusesIn(data: unknown): readonly string[] {
  const found = new Set<string>();
  collect(data, DEEPEST);
  return [...found];

  function collect(value: unknown, depth: number): void {
    if (typeof value !== 'object' || value === null || depth === 0) return;
    if (Array.isArray(value)) {
      for (const entry of value) collect(entry, depth - 1);
      return;
    }
    for (const [name, inner] of Object.entries(value))
      if (name === 'status' && typeof inner === 'string' && /^[A-Z_]+$/.test(inner)) found.add(inner);
      else collect(inner, depth - 1);
  }
}
