import { defineConfig } from 'vitest/config';

// One mesh and one browser at a time: two cores are shared with both.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
