import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import { type ApiDocument, renderReference } from './api-reference.ts';

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--line:color-mix(in srgb,currentColor 18%,transparent)}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}h2{margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
nav{columns:12rem;font-size:.9rem}nav a{display:block}
article{margin:1rem 0;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.5rem}
h3{margin:0;font:600 1rem ui-monospace,monospace;overflow-wrap:anywhere}b{display:inline-block;min-width:4.5em}
p{margin:.4rem 0 0}ul{margin:.4rem 0 0;padding-left:1.2rem;font-size:.9rem;opacity:.85}
table{width:100%;margin:.6rem 0 0;border-collapse:collapse;font-size:.9rem}caption{text-align:left;font-weight:600}
td{padding:.15rem .75rem .15rem 0;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}td:nth-child(-n+2){width:25%}`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The API reference as one page made from the document itself: no script, nothing loaded from elsewhere. */
export function docsPage(openapi: Readonly<Record<string, unknown>>): RequestHandler {
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sluice API</title><style>${STYLE}</style></head><body>${renderReference(openapi as unknown as ApiDocument)}</body></html>`;
  return (_request, response) => {
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'`,
    );
    response.type('html').send(page);
  };
}
