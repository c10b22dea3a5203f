/** The Accept header (RFC 9110, 12.5.1). */

export interface MediaRange {
  /** Lower case; wildcards as they stand. */
  readonly type: string;
  /** Names in lower case, without `q`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Over 0, at most 1. */
  readonly weight: number;
}

/** What the client takes, what it likes best first, else in its own order; nothing named is nothing, not everything. */
export function readAccept(accept: string | undefined): readonly MediaRange[] {
  return (
    split(accept ?? '', ',')
      .map(toRange)
      // A weight that is no number is taken for none: `NaN > 0` is false.
      .filter(({ type, weight }) => type !== '' && weight > 0)
      .sort((one, other) => other.weight - one.weight)
  );
}

function toRange(text: string): MediaRange {
  const [type = '', ...rest] = split(text, ';');
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const [name = '', value = ''] = parameter.split(/=(.*)/s);
    parameters.set(name.trim().toLowerCase(), unquote(value.trim()));
  }
  const weight = Number(parameters.get('q') ?? 1);
  parameters.delete('q');
  return { type: type.toLowerCase(), parameters, weight: Math.min(weight, 1) };
}

/** Apart at a sign that stands in no quotes. */
function split(text: string, sign: ',' | ';'): readonly string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (isQuoted && text[at] === '\\') at++;
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === sign && !isQuoted) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.replace(/^"|"$/g, '').replace(/\\(.)/gs, '$1') : value;
}
