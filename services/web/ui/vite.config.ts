/// <reference types="vitest/config" />
import { cp, mkdir, readdir } from 'node:fs/promises';
import { createReadStream, existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { createRequire } from 'node:module';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const pdfjsRoot = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));

/** What pdf.js fetches by name at run time: character maps, the standard fonts, image decoders. */
const PDFJS_ASSETS: Record<string, RegExp> = {
  cmaps: /\.bcmap$/,
  standard_fonts: /\.(pfb|ttf)$/,
  wasm: /\.wasm$/,
  iccs: /\.icc$/,
};

const CONTENT_TYPES: Record<string, string> = { '.wasm': 'application/wasm' };

/** Serves pdf.js's run-time files under `/pdfjs/` in development and copies the needed ones into the build. */
function pdfjsAssets(): Plugin {
  let outDir = 'dist';
  return {
    name: 'pdfjs-assets',
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    configureServer(server) {
      server.middlewares.use('/pdfjs', (request, response, next) => {
        const path = join(pdfjsRoot, new URL(request.url ?? '/', 'http://localhost').pathname);
        if (!path.startsWith(pdfjsRoot) || !existsSync(path)) return next();
        response.setHeader('Content-Type', CONTENT_TYPES[extname(path)] ?? 'application/octet-stream');
        createReadStream(path).pipe(response);
      });
    },
    async closeBundle() {
      for (const [folder, wanted] of Object.entries(PDFJS_ASSETS)) {
        const target = join(outDir, 'pdfjs', folder);
        await mkdir(target, { recursive: true });
        for (const name of await readdir(join(pdfjsRoot, folder))) {
          if (wanted.test(name)) await cp(join(pdfjsRoot, folder, name), join(target, name));
        }
      }
    },
  };
}

/** Where the API answers in development: the mock server, or a running `anwen serve`. */
const API_ORIGIN = process.env.ANWEN_API ?? 'http://127.0.0.1:8090';

export default defineConfig({
  plugins: [react(), pdfjsAssets()],
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 700,
    // The server embeds the build; source maps would double the binary's share of it.
    sourcemap: false,
  },
  server: { port: 5173, proxy: { '/api': API_ORIGIN } },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
