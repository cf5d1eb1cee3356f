// What the server gives to set tools up with, and the key put where it belongs.
export interface ToolFile { tool: string; name: string; kind: 'json' | 'shell' | 'text'; filename: string; content: string; install: string }
export interface Configs {
  picgo: { url: string; paramName: string; jsonPath: string; customHeader: string };
  moraya: { name: string; url: string };
  typora: { service: string; command: string };
  files: ToolFile[];
}

/** What needs no file: a program of one's own, and a phone's camera. */
export const others = ['any', 'phone'] as const;

const placeholder = 'YOUR_API_KEY';
export const fill = (text: string, key: string): string => (key ? text.replaceAll(placeholder, key) : text);

/** The values that a program's form asks for. */
export const values = (c: Configs, key: string): { name: 'url' | 'field' | 'path' | 'header'; text: string }[] => [
  { name: 'url', text: c.picgo.url },
  { name: 'field', text: c.picgo.paramName },
  { name: 'path', text: c.picgo.jsonPath },
  { name: 'header', text: fill(c.picgo.customHeader, key) },
];

/** Opens Moraya with the key; the token in it is good once. */
export const morayaLink = (c: Configs, ott: string): string =>
  `moraya://import-image-host?v=2&ott=${encodeURIComponent(ott)}&apiBase=${encodeURIComponent(new URL(c.moraya.url).origin)}`;

export const qr = async (text: string): Promise<string> => (await import('qrcode')).toDataURL(text, { margin: 2, width: 480, errorCorrectionLevel: 'M' });

/** Has the browser save text as a file. */
export function save(name: string, text: string): void {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}
