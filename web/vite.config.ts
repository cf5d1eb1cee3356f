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

export default defineConfig({
  plugins: [svelte(), compressed()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // everything is a file, as the policy wants
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { input: { index: 'index.html', reference: 'reference.html' } },
  },
  server: {
    proxy: Object.fromEntries([...pass, '^/[A-Za-z0-9_-]+\\.[a-z0-9]+$'].map((p) => [p, { target: server, changeOrigin: false }])),
  },
});
