/**
 * JSON in which no object says a thing twice. RFC 8259 leaves to each reader which of two equal names counts, so whoever
 * stands before us (a firewall, an issuer, a balancer) may have read another one than we would.
 */

/** Throws SyntaxError for what is no JSON, and for an object, however deep, with two names that are equal once unescaped. */
export function parseUniqueJson(text: string): unknown {
  const value = JSON.parse(text) as unknown;
  if (hasRepeatedName(text)) throw new SyntaxError('an object has the same name twice');
  return value;
}

/** `text` is JSON: only quotes and brackets have to be looked at. */
function hasRepeatedName(text: string): boolean {
  // The names of each open object; null for a list. Not recursive: nesting may be as deep as the text is long.
  const open: (Set<string> | null)[] = [];
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '{') open.push(new Set());
    else if (sign === '[') open.push(null);
    else if (sign === '}' || sign === ']') open.pop();
    if (sign === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (isName && names) {
        const quoted = text.slice(at, end + 1);
        const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
        if (names.has(name)) return true;
        names.add(name);
      }
      at = end;
    }
    // A name stands behind the brace or a comma of an object; behind anything else but white space stands none.
    if (sign === '{' || sign === ',') isName = open.at(-1) instanceof Set;
    else if (sign !== ' ' && sign !== '\n' && sign !== '\r' && sign !== '\t') isName = false;
  }
  return false;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
