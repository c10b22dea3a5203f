/** XML as far as we trust it: no document type, no entities of its own, one root, text for text. */
import { XMLParser } from 'fast-xml-parser';

export class XmlError extends Error {
  constructor(fact: string) {
    super(fact);
    this.name = 'XmlError';
  }
}

// Only the five entities of XML and character references are left to expand, because a DOCTYPE is refused before.
const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: true,
  processEntities: true,
  htmlEntities: true,
  isArray: (name) => name === 'row',
});

/**
 * One element and what is in it: text as string, elements as objects, `row` always as a list.
 * Throws XmlError for anything not well formed, and for every document type: an entity can name a file (XXE) or grow
 * without end (billion laughs), and no system that we ask has a use for one.
 */
export function parseXml(text: string, root: string): unknown {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new XmlError('carries a document type');
  let document: unknown;
  try {
    document = parser.parse(text, true);
  } catch {
    // The parser's own message quotes the document.
    throw new XmlError('is not well formed');
  }
  const roots = typeof document === 'object' && document !== null ? Object.entries(document) : [];
  const [only] = roots;
  if (roots.length !== 1 || only?.[0] !== root) throw new XmlError(`is not one ${root}`);
  return only[1];
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** A CDATA section cannot hold its own end, so it is ended and opened again between the brackets. */
export const toCdata = (text: string): string => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
