import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

// The server that "npx vite" passes requests on to.
const server = process.env.PICORA_URL ?? 'http://localhost:3102';
const pass = ['/v1', '/openapi.yaml', '/audio', '/audio-cover', '/audio-peaks', '/audio-level', '/doc', '/doc-cover', '/video', '/page', '/embed', '/c/', '/d/', '/guide', '/reference', '/health'];

/** Keeps the compressed form of each file alone: that is what the program has in it and what browsers ask for. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const assets = join(import.meta.dirname, 'dist/assets');
      for (const name of readdirSync(assets)) {
        const path = join(assets, name);
        if (!/\.(js|css|svg|json|wasm)$/.test(name) || statSync(path).size < 1024) continue;
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        rmSync(path);
      }
      writeFileSync(join(import.meta.dirname, 'dist/.gitkeep'), '');
    },
  };
}

/** Has the dashboard's document name the sign-in's files, so that they come with the first ones: whoever is new waits for nothing else. */
function early(): Plugin {
  return {
    name: 'early',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle, path }) {
        if (!path.endsWith('index.html')) return html;
        const chunks = Object.values(bundle ?? {}).filter((one) => one.type === 'chunk');
        const login = chunks.find((one) => one.facadeModuleId?.endsWith('/login/Login.svelte'));
        if (!login) throw new Error('the page of the sign-in has no chunk');
        const needed = new Set([login.fileName, ...login.imports]);
        const styles = new Set(chunks.filter((one) => needed.has(one.fileName)).flatMap((one) => [...(one.viteMetadata?.importedCss ?? [])]));
        const fresh = (list: Iterable<string>) => [...list].map((name) => `/${name}`).filter((name) => !html.includes(`"${name}"`));
        return [
          ...fresh(needed).map((href) => ({ tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href }, injectTo: 'head' as const })),
          ...fresh(styles).map((href) => ({ tag: 'link', attrs: { rel: 'stylesheet', crossorigin: true, href }, injectTo: 'head' as const })),
        ];
      },
    },
  };
}

export default defineConfig({
  plugins: [svelte(), early(), compressed()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // everything is a file, as the policy wants
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { index: 'index.html', reference: 'reference.html' },
      // What every page needs, and what signing in needs: two files instead of twenty, for browsers ask for six at a time.
      output: {
        codeSplitting: {
          groups: [
            { name: 'base', test: /node_modules\/(svelte|clsx|regexparam)\/|lucide\/svelte\/dist\/(Icon|icons\/(x|circle-alert)\.)|\/src\/(app\.css|(api|request|links|clipboard|(session|router|i18n|theme|proof)\.svelte)\.ts|i18n\/en\.json)|\/src\/parts\/(Failed|Toasts|(confirm|toasts)\.svelte)/ },
            { name: 'signin', test: /\/src\/(passkeys\.ts|pages\/login\/(Login|Frame|ByCode|Second|Welcome|Resend|server)\.|parts\/(Field|Password|Code)\.svelte)|icons\/(fingerprint-pattern|mail|key-round|eye|eye-off)\./ },
          ],
        },
      },
    },
  },
  server: {
    proxy: Object.fromEntries([...pass, '^/[A-Za-z0-9_-]+\\.[a-z0-9]+$'].map((p) => [p, { target: server, changeOrigin: false }])),
  },
});
