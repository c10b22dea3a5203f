/**
 * GraphiQL for a browser, whole in one page. Government networks are closed: nothing is loaded from anywhere, no CDN, no
 * font, not even an icon, and the Content-Security-Policy makes the browser hold us to it.
 */
import {
  css,
  editorWorkerService,
  graphqlWorker,
  js,
  jsonWorker,
} from '@graphql-yoga/render-graphiql/graphiql';
import { createHash } from 'node:crypto';
import type { ExampleQuery } from './explorer/examples.ts';

export interface ExplorerOptions {
  /** Path of the endpoint on the same origin, such as /graphql. */
  readonly endpoint: string;
  readonly title: string;
  /** Headers of each new tab. They stand in the page: a sandbox token at most. */
  readonly defaultHeaders: Readonly<Record<string, string>>;
  readonly examples: readonly ExampleQuery[];
}

export interface Explorer {
  readonly html: string;
  /** Value of the Content-Security-Policy header that the page must be sent with. */
  readonly contentSecurityPolicy: string;
}

/** Makes the page once; serving it afterwards is sending a constant. */
export function createExplorer(options: ExplorerOptions): Explorer {
  const script = toScript(options);
  const title = escapeHtml(options.title);
  const html = `<!doctype html>
<html lang="zh-CN">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="referrer" content="no-referrer" />
    <title>${title}</title>
    <link rel="icon" href="data:image/svg+xml,${encodeURIComponent(LOGO)}" />
    <style>${css}
html, body, #root { height: 100%; margin: 0 }
.loading { padding: 2rem; font: 16px/1.6 system-ui, sans-serif; color: #4b5563 }</style>
  </head>
  <body>
    <noscript>请启用 JavaScript。 Please enable JavaScript.</noscript>
    <div id="root"><p class="loading">正在载入… Loading…</p></div>
    <script>${script}</script>
  </body>
</html>
`;
  return { html, contentSecurityPolicy: toPolicy(script) };
}

/** The character 津 as text: an outline of it would be longer, and a system that shows the page has the character. */
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="32" height="32"><rect width="40" height="40" rx="8" fill="#0f4c81"/><text x="20" y="28" font-size="24" text-anchor="middle" fill="#fff" font-family="sans-serif">津</text></svg>`;

function toScript({ endpoint, title, defaultHeaders, examples }: ExplorerOptions): string {
  const headers = JSON.stringify(defaultHeaders, null, 2);
  const settings = {
    endpoint,
    // GraphiQL sets title and logo as HTML.
    title: escapeHtml(title),
    logo: LOGO,
    defaultHeaders: headers,
    defaultTabs: examples.map(({ title: about, query, variables }) => ({
      query: `# ${about.replace(/\s+/g, ' ')}\n${query}`,
      headers,
      variables: JSON.stringify(variables ?? {}, null, 2),
    })),
    // A token that was typed in does not outlive the page.
    shouldPersistHeaders: false,
  };
  const workers = { editorWorkerService, json: jsonWorker, graphql: graphqlWorker };
  const script = `"use strict";
(() => {
const workers = ${toLiteral(workers)};
const urls = {};
globalThis.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_, label) => (urls[label] ??= URL.createObjectURL(new Blob([workers[label]], { type: "text/javascript" }))),
};
})();
${js};
(() => {
const settings = ${toLiteral(settings)};
// GraphiQL restores the query of the open tab, but not its variables.
const saved = JSON.parse(sessionStorage.getItem("graphiql:tabState") ?? "null");
const open = saved?.tabs?.[saved.activeTabIndex] ?? settings.defaultTabs[0];
// What was asked stays in this tab: neither in the address, which proxies log, nor on the disk of a shared machine.
YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), {
  ...settings,
  initialVariables: open?.variables ?? undefined,
  storage: sessionStorage,
  onEditQuery() {},
});
})();`;
  if (/<\/script/i.test(script)) throw new Error('the explorer’s script would end its own element');
  return script;
}

/**
 * Only our own script runs, and only our own origin is asked. Monaco writes style elements and attributes as it goes, so
 * styles cannot be hashed; it starts its workers from blobs of this page.
 */
function toPolicy(script: string): string {
  const digest = createHash('sha256').update(script).digest('base64');
  return [
    `default-src 'none'`,
    `script-src 'sha256-${digest}'`,
    `worker-src blob:`,
    `style-src 'unsafe-inline'`,
    `img-src 'self' data:`,
    `font-src data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

/** JSON that can stand inside a script element: no "<" means no tag and no comment can begin in it. */
function toLiteral(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
