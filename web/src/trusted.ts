// The server's policy lets no text become HTML, or a script's address, unless a policy of
// Trusted Types lets it. Svelte has one for its templates. This is for the libraries that
// know nothing of the matter: what they need passes, and nothing else.

interface Policies {
  createPolicy(name: string, rules: { createHTML(s: string): string | null; createScriptURL(s: string): string | null }): unknown;
}

/** The nonce of styles that a script makes: the server puts it into the page. */
export const styleNonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '';

/** How wavesurfer.js begins what it puts into its shadow root. */
const waveform = /^\s*<style nonce="[\w-]+">\s*:host \{/;

(globalThis as { trustedTypes?: Policies }).trustedTypes?.createPolicy('default', {
  createHTML: (s) => (s === '' || (waveform.test(s) && !/<script|\son\w+=|javascript:|<iframe/i.test(s)) ? s : null),
  createScriptURL: (s) => (s.startsWith(`blob:${location.origin}/`) ? s : null), // the worker of hls.js
});
