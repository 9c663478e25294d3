// Builds the web console into dist/console: bundles by Vite, each with its compressed forms. Run by `npm ci` (prepare)
// and by hand; `--watch` builds again on every change. Without the development packages it does nothing.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { writeApiTypes } from './api-types.ts';

const ROOT = fileURLToPath(new URL('../src/console', import.meta.url));
const OUT = fileURLToPath(new URL('../dist/console', import.meta.url));
/** What browsers of the last two years run; older syntax targets would rewrite light-dark(). */
const CSS_TARGET = ['chrome125', 'firefox125', 'safari17.5'];
const PACKED = new Set(['.js', '.css', '.html', '.svg']);

async function build(watch: boolean): Promise<void> {
  const { build: bundle } = await import('vite');
  const { default: react } = await import('@vitejs/plugin-react');
  await bundle({
    root: ROOT,
    configFile: false,
    logLevel: watch ? 'info' : 'warn',
    plugins: [react(), preloadFont(), pack()],
    css: { modules: { localsConvention: 'camelCaseOnly' } },
    build: {
      outDir: OUT,
      emptyOutDir: true,
      target: 'es2023',
      cssTarget: CSS_TARGET,
      cssCodeSplit: false,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      manifest: true,
      reportCompressedSize: false,
      watch: watch ? {} : null,
    },
  });
}

/** The font is asked for with the page, not after its style sheet: nothing jumps. */
function preloadFont(): Plugin {
  return {
    name: 'preload-font',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((name) => /inter-latin-wght.*\.woff2$/.test(name))
          .map((name) => ({
            tag: 'link',
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${name}`, crossorigin: true },
            injectTo: 'head-prepend',
          })),
    },
  };
}

function pack(): Plugin {
  return {
    name: 'pack',
    closeBundle() {
      // Also called after a build that failed, which says why.
      if (!existsSync(OUT)) return;
      for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' })) {
        if (!PACKED.has(extname(name))) continue;
        const path = join(OUT, name);
        const plain = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      }
    },
  };
}

const installed = existsSync(fileURLToPath(new URL('../node_modules/vite', import.meta.url)));
if (installed && existsSync(ROOT)) {
  writeApiTypes();
  await build(process.argv.includes('--watch'));
} else process.stdout.write('console: not built, the development packages are not installed\n');
