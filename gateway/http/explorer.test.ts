import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse, validate } from 'graphql';
import { Supergraph } from '@apollo/federation-internals';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { createExplorer } from './explorer.ts';
import { EXAMPLES } from './explorer/examples.ts';

const options = {
  endpoint: '/graphql',
  title: '津信 Jinxin',
  defaultHeaders: { authorization: 'Bearer x' },
  examples: EXAMPLES,
};

/** The page as a browser cuts it: its one style, its one script, and the markup around them. */
function cut(html: string): { script: string; style: string; markup: string } {
  const [head, style, body] = around(html, '<style>', '</style>');
  const [before, script, after] = around(body, '<script>', '</script>');
  return { script, style, markup: head + before + after };
}

/** What the page gives to GraphiQL. */
function settingsOf(html: string): unknown {
  const [, json] = around(cut(html).script, '\nconst settings = ', ';\n// GraphiQL');
  return JSON.parse(json);
}

function around(text: string, open: string, close: string): readonly [string, string, string] {
  const start = text.indexOf(open);
  const end = text.indexOf(close, start);
  return [text.slice(0, start), text.slice(start + open.length, end), text.slice(end)];
}

describe('explorer', () => {
  const { html, contentSecurityPolicy } = createExplorer(options);

  it('loads nothing from outside', () => {
    const { script, style, markup } = cut(html);
    const attributes = [...markup.matchAll(/\b(?:src|href|srcset|action|data)\s*=\s*["']?([^"'\s>]*)/gi)].map(
      ([, url]) => url,
    );
    expect(attributes.filter((url) => !url?.startsWith('data:'))).toEqual([]);
    expect(style).not.toMatch(/@import|url\(\s*["']?(?!["']?(?:data:|#))/i);
    expect(script).not.toMatch(/(?:\bimport|\bimportScripts|\bfetch)\s*\(\s*["'`](?:https?:)?\/\//);
    expect(script).not.toMatch(/\.(?:src|href)\s*=\s*["'`](?:https?:)?\/\//);
  });

  it('is held to that by its policy: our script by its hash, our own origin, and nothing else', () => {
    const digest = createHash('sha256').update(cut(html).script).digest('base64');
    expect(contentSecurityPolicy).toContain(`script-src 'sha256-${digest}';`);
    expect(contentSecurityPolicy).toMatch(/^default-src 'none';/);
    expect(contentSecurityPolicy).toContain(`connect-src 'self'`);
    expect(contentSecurityPolicy).not.toMatch(/https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/);
  });

  it('carries a script that parses and ends only where its element does', () => {
    expect(html.match(/<\/script/gi)).toHaveLength(1);
    expect(() => new Script(cut(html).script)).not.toThrow();
  });

  it('opens the examples as tabs with their variables and the given headers', () => {
    expect(settingsOf(html)).toMatchObject({
      endpoint: '/graphql',
      shouldPersistHeaders: false,
      defaultTabs: EXAMPLES.map(({ title, query, variables }) => ({
        query: `# ${title}\n${query}`,
        headers: JSON.stringify(options.defaultHeaders, null, 2),
        variables: JSON.stringify(variables, null, 2),
      })),
    });
  });

  it.each([
    '</script><script>alert(1)</script>',
    '</SCRIPT x>',
    '<!--<script>',
    '"; alert(1); "',
    '\\"); alert(1)//',
    '`${alert(1)}`',
    '\u2028\u2029\n',
    "'><img src=x onerror=alert(1)>",
    '$& $1 $`',
  ])('lets %j stand in title, headers and examples as text', (text) => {
    const made = createExplorer({
      endpoint: '/graphql',
      title: text,
      defaultHeaders: { [text]: text },
      examples: [{ title: text, query: text, variables: { [text]: text } }],
    });
    const { script, markup } = cut(made.html);
    expect(made.html.match(/<\/script/gi)).toHaveLength(1);
    expect(script).not.toMatch(/<script>alert/);
    expect(markup).not.toMatch(/<img|alert\(1\)<\/script/);
    const settings = settingsOf(made.html) as {
      defaultTabs: { query: string; headers: string; variables: string }[];
      title: string;
    };
    expect(settings.defaultTabs[0]?.query).toBe(`# ${text.replace(/\s+/g, ' ')}\n${text}`);
    expect(JSON.parse(settings.defaultTabs[0]?.headers ?? '')).toEqual({ [text]: text });
    expect(settings.title).not.toMatch(/[<>"']/);
  });

  it('gives GraphiQL back exactly the query that it was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (query) => {
        const made = createExplorer({ ...options, examples: [{ title: 't', query }] });
        expect(settingsOf(made.html)).toMatchObject({ defaultTabs: [{ query: `# t\n${query}` }] });
      }),
      { numRuns: 10 },
    );
  });
});

describe('examples', () => {
  const sdl = readFileSync(new URL('../../schema/supergraph.graphql', import.meta.url), 'utf8');
  const schema = Supergraph.build(sdl, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();

  it.each(EXAMPLES.map((example) => [example.title, example] as const))(
    '%s is valid on the graph',
    (_, { query }) => {
      expect(validate(schema, parse(query)).map(({ message }) => message)).toEqual([]);
    },
  );

  it.each(EXAMPLES.map((example) => [example.title, example] as const))(
    '%s is one named operation',
    (_, { query, variables }) => {
      const { definitions } = parse(query);
      expect(definitions).toHaveLength(1);
      const [operation] = definitions;
      const declared = operation && 'variableDefinitions' in operation ? operation.variableDefinitions : [];
      expect(operation).toMatchObject({ kind: 'OperationDefinition', name: { kind: 'Name' } });
      expect(
        declared?.map((definition) =>
          'variable' in definition && 'name' in definition.variable ? definition.variable.name.value : '',
        ),
      ).toEqual(Object.keys(variables ?? {}));
      expect(query).toMatch(/^# .*[\u4e00-\u9fff]/);
    },
  );
});
