import { defineConfig } from '@playwright/test';

// What "make lighthouse" runs: one at a time, for it measures.
export default defineConfig({ testDir: '.', outputDir: '../e2e/results/lighthouse', timeout: 900_000, workers: 1, reporter: [['line']] });
