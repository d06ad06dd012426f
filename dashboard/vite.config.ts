import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    // Maps would double what is embedded in the binary.
    sourcemap: false,
    // A page without internet, and a content security policy without `data:`.
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
  server: {
    // `npm run dev` beside a mesh that runs.
    proxy: { '/api': { target: process.env.CLEW_API ?? 'http://127.0.0.1:8084', headers: { host: '127.0.0.1:8084' } } },
  },
});
