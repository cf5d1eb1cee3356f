import base from './playwright.config';

// "make bench-dashboard": measurements, which need a quiet machine.
export default { ...base, testDir: 'bench', testMatch: '*.bench.ts', timeout: 900_000, workers: 1 };
