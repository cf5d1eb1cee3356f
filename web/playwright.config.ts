import { defineConfig } from '@playwright/test';

// Debian's Chromium; each test starts its own Picora (e2e/picora.ts).
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'e2e/results',
  timeout: 300_000, // a test is many steps, and machines are slow
  retries: 1, // one that passes then is reported as flaky
  expect: { timeout: 30_000 },
  workers: 2,
  forbidOnly: true,
  reporter: [['line']],
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--mute-audio', '--autoplay-policy=no-user-gesture-required'] },
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
    trace: 'off',
    screenshot: 'off',
  },
});
