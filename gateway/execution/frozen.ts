/** Entities that many requests hold at once: nobody may change them, and how much room they take is known. */

const OBJECT_BYTES = 56;
const PROPERTY_BYTES = 16;
const STRING_BYTES = 24;

/** Freezes a tree of JSON to its leaves, and tells roughly how many bytes of memory it takes. */
export function freezeDeeply(value: unknown): number {
  if (typeof value === 'string') return STRING_BYTES + 2 * value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let bytes = OBJECT_BYTES;
  for (const inner of Object.values(value)) bytes += PROPERTY_BYTES + freezeDeeply(inner);
  Object.freeze(value);
  return bytes;
}

const OWN = { writable: true, enumerable: true, configurable: true };

/** A copy that is the caller's own, of a tree of JSON. A name such as __proto__ is a name like any other. */
export function copyDeeply<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyDeeply) as T;
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value))
    if (name === '__proto__') Object.defineProperty(copy, name, { ...OWN, value: copyDeeply(inner) });
    else copy[name] = copyDeeply(inner);
  return copy as T;
}
