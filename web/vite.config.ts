import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PreprocessorGroup } from 'svelte/compiler';
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
      if (!existsSync(assets)) return; // the build failed, and says why itself
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

/** Writes icons as the plain SVG that they are: the library's part for them builds attributes anew for each that is shown. */
const icons: PreprocessorGroup = {
  name: 'icons',
  markup({ content, filename }) {
    const data = /lucide\/svelte\/dist\/icons\//.test(filename ?? '') && /const iconData = (\{.*\});/.exec(content)?.[1];
    if (!data) return;
    const { node } = JSON.parse(data) as { node: [string, Record<string, string>][] };
    const inner = node.map(([tag, attributes]) => `<${tag}${Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`).join('')} />`).join('');
    return {
      code: `<script>let { size = 24, fill = 'none', class: look } = $props();</script>
<svg width={size} height={size} viewBox="0 0 24 24" {fill} stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" class={look} aria-hidden="true">${inner}</svg>`,
    };
  },
};

/**
 * Has the dashboard's documents name the files of what is shown first, so that they come with the first ones: index.html
 * those of the sign-in, home.html, which who is signed in gets at "/", those of the library.
 */
function early(): Plugin {
  return {
    name: 'early',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const index = bundle['index.html'];
        if (index?.type !== 'asset') throw new Error('there is no index.html');
        const chunks = Object.values(bundle).filter((one) => one.type === 'chunk');
        const begin = chunks.find((one) => one.moduleIds.some((id) => id.endsWith('/src/begin.ts')))?.fileName;
        // It runs as soon as it is here, and does not wait for what the page itself needs.
        const html = String(index.source).replace(`    <link rel="modulepreload" crossorigin href="/${begin}">\n`, '')
          .replace('    <script', `    <script type="module" crossorigin src="/${begin}"></script>\n    <script`);
        const naming = (...pages: string[]) => {
          const firsts = pages.map((page) => chunks.find((one) => one.facadeModuleId?.endsWith(page)) ?? this.error(`${page} has no chunk`));
          const needed = new Set(firsts.flatMap((one) => [one.fileName, ...one.imports]));
          const styles = new Set(chunks.filter((one) => needed.has(one.fileName)).flatMap((one) => [...(one.viteMetadata?.importedCss ?? [])]));
          const tags = (list: Iterable<string>, tag: string) => [...list].filter((name) => !html.includes(`"/${name}"`)).map((name) => `    <link ${tag} crossorigin href="/${name}">\n`).join('');
          return html.replace('  </head>', `${tags(needed, 'rel="modulepreload"')}${tags(styles, 'rel="stylesheet"')}  </head>`);
        };
        index.source = naming('/login/Login.svelte');
        this.emitFile({ type: 'asset', fileName: 'home.html', source: naming(...first) });
      },
    },
  };
}

/** What is shown first to who is signed in, and all that those need at once; not what they load later. */
const first = ['src/parts/Shell.svelte', 'src/pages/library/Library.svelte'].map((path) => join(import.meta.dirname, path));
const atOnce = new Set<string>();
function isNeededFirst(id: string, graph: { getModuleInfo(id: string): { importedIds: string[] } | null }): boolean {
  const add = (one: string) => {
    if (atOnce.has(one)) return;
    atOnce.add(one);
    graph.getModuleInfo(one)?.importedIds.forEach(add);
  };
  first.forEach(add);
  return atOnce.has(id);
}

export default defineConfig({
  plugins: [svelte({ preprocess: [icons, vitePreprocess()] }), early(), compressed()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // everything is a file, as the policy wants
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { index: 'index.html', reference: 'reference.html' },
      // What every page needs, what signing in needs, and what the library needs: two files each time instead of fifty, for browsers ask for six at a time.
      output: {
        codeSplitting: {
          groups: [
            // What the reference needs, too: there nobody is asked who they are.
            { name: 'shared', test: /node_modules\/clsx\/|vite\/preload-helper/ },
            { name: 'begin', test: /\/src\/(begin|request)\.ts/ },
            { name: 'base', test: /node_modules\/(svelte|regexparam)\/|lucide\/svelte\/dist\/icons\/(x|circle-alert|key-round)\.|\/src\/(app\.css|App\.svelte|(api|links|clipboard|pause|(session|router|i18n|theme|proof)\.svelte)\.ts|i18n\/en\.json)|\/src\/parts\/(Failed|Toasts|(confirm|toasts)\.svelte)/ },
            { name: 'signin', test: /\/src\/(passkeys\.ts|pages\/login\/(Login|Frame|ByCode|Second|Welcome|Resend|server)\.|parts\/(Field|Password|Code)\.svelte)|icons\/(fingerprint-pattern|mail|eye|eye-off)\./ },
            { name: (id, graph) => (isNeededFirst(id, graph) ? 'library' : null), debugName: 'library' },
          ],
        },
      },
    },
  },
  server: {
    proxy: Object.fromEntries([...pass, '^/[A-Za-z0-9_-]+\\.[a-z0-9]+$'].map((p) => [p, { target: server, changeOrigin: false }])),
  },
});
