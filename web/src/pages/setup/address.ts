// What to make of the address that the server thinks it has.

export interface Where {
  api: string;
  media: string;
  baseUrl: string | null;
  mediaUrl: string | null;
  client: string;
  peer: string;
  forwarded: boolean;
  trusted: boolean;
}

export type Finding = 'same' | 'fixed' | 'local' | 'proxy' | 'other';

/**
 * fixed: set, and as the browser calls it; same: follows the request; local: the same, with an address that other
 * devices cannot open; proxy: something in front of the server speaks https and is not believed; other: links go elsewhere.
 */
export function finding(w: Where, here: URL): Finding {
  if (w.api !== here.origin) {
    const there = new URL(w.api);
    return !w.baseUrl && there.hostname === here.hostname ? 'proxy' : 'other';
  }
  if (w.baseUrl) return 'fixed';
  return isLocal(here.hostname) ? 'local' : 'same';
}

/** Whether a host name means this very machine. */
export const isLocal = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost') || /^127\./.test(host) || host === '[::1]';

/** Scheme and host of what was typed; '': it is no address that a server can have. */
export function originOf(text: string): string {
  try {
    const u = new URL(text.trim());
    return /^https?:$/.test(u.protocol) && u.pathname === '/' && !u.search && !u.hash && !u.username ? u.origin : '';
  } catch {
    return '';
  }
}

/** The lines of the configuration file that set it right. */
export function lines(w: Where, base: string): string {
  const out = ['[server]', `base_url = "${base}"`];
  if (w.forwarded && !w.trusted) out.push(`trusted_proxies = ["${w.peer}"]`);
  return out.join('\n');
}

/** Whether the browser reaches an address of ours; what it answers does not matter. */
export async function reaches(origin: string): Promise<boolean> {
  try {
    await fetch(`${origin}/health`, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(8000) });
    return true;
  } catch {
    return false;
  }
}
