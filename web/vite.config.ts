// One file, the same bytes from the same sources: scripts, styles and fonts inside index.html, no hashes, no dates.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { viteSingleFile } from 'vite-plugin-singlefile';
import { defineConfig } from 'vitest/config';

const server = process.env['ATELIER_SERVER'] ?? 'http://127.0.0.1:8080';
const endpoints = ['/v1', '/tokenize', '/detokenize', '/apply-template', '/metrics', '/health'];

export default defineConfig({
  plugins: [svelte(), viteSingleFile()],
  build: { target: 'es2022', outDir: 'dist', reportCompressedSize: false },
  server: { proxy: Object.fromEntries(endpoints.map((path) => [path, server])) },
  test: { include: ['**/*.test.ts'], environment: 'node' },
});
