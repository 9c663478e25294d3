import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>;
}

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin:2rem 0 .5rem;border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}
article{margin:1rem 0;padding:.75rem 1rem;border:1px solid color-mix(in srgb,currentColor 18%,transparent);border-radius:.5rem}
h3{margin:0;font:600 1rem ui-monospace,monospace;overflow-wrap:anywhere}b{display:inline-block;min-width:4.5em}
p{margin:.4rem 0 0}ul{margin:.4rem 0 0;padding-left:1.2rem;font-size:.9rem;opacity:.85}`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The API reference as one page made from the document itself: no script, nothing loaded from elsewhere. */
export function docsPage(openapi: Readonly<Record<string, unknown>>): RequestHandler {
  const page = render(openapi);
  return (_request, response) => {
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'`,
    );
    response.type('html').send(page);
  };
}

function render(openapi: Readonly<Record<string, unknown>>): string {
  const paths = (openapi['paths'] ?? {}) as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  const groups = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      if (!['get', 'put', 'post', 'patch', 'delete'].includes(method)) continue;
      const noun = path.split('/')[1] ?? '';
      groups.set(noun, [...(groups.get(noun) ?? []), article(method, path, operation)]);
    }
  const body = [...groups].map(([noun, articles]) => `<h2>${escapeHtml(noun)}</h2>${articles.join('')}`).join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sluice API</title><style>${STYLE}</style></head><body><h1>Sluice API</h1><p>All paths are below <code>/api/v1</code> and need a bearer token. The whole document: <a href="/api/v1/openapi.json">openapi.json</a>.</p>${body}</body></html>`;
}

function article(method: string, path: string, { summary = '', description = '', responses = {} }: Operation): string {
  const answers = Object.entries(responses).map(
    ([status, answer]) => `<li>${escapeHtml(status)} ${escapeHtml(answer.description ?? '')}</li>`,
  );
  return `<article><h3><b>${method.toUpperCase()}</b> ${escapeHtml(path)}</h3><p>${escapeHtml(summary)}</p>${description === '' ? '' : `<p>${escapeHtml(description)}</p>`}<ul>${answers.join('')}</ul></article>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
