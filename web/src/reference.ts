// The page /reference: the API's document, to read and to try with a key of one's own.
// It asks this server alone: no proxy, no fonts, no telemetry, no agent.
import { createApiReference } from '@scalar/api-reference';
import '@scalar/api-reference/style.css';

createApiReference('#app', {
  url: '/openapi.yaml',
  servers: [{ url: location.origin }],
  authentication: { preferredSecurityScheme: 'apiKey' },
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
  theme: 'default',
  withDefaultFonts: false,
  telemetry: false,
  persistAuth: false, // a key stays in no storage that another page could read
  hideClientButton: true,
  agent: { disabled: true },
  showDeveloperTools: 'never',
  customCss: ':root { --scalar-font: system-ui, sans-serif; --scalar-font-code: ui-monospace, monospace; }',
});
