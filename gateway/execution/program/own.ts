/** Reading what a subgraph sent: fields may bear any name, those that every object inherits included. */

export type Data = Readonly<Record<string, unknown>>;

/** A reader of one key. Only names that every object inherits cost the question whether they are its own. */
export function reader(key: string): (source: Data) => unknown {
  return key in Object.prototype
    ? (source) => (Object.hasOwn(source, key) ? source[key] : undefined)
    : (source) => source[key];
}

/** Whether it is an object with fields: what is expected where a type with fields is. */
export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
