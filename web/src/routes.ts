// Path → page, one line each. app/dashboard has the same first segments (pagePaths).
import { mayBeSignedIn } from './begin';
import { place, type Route } from './router.svelte';

export const routes: Route[] = [
  { path: '/', for: 'user', load: () => import('./pages/library/Library.svelte') },
  { path: '/item/:id', for: 'user', load: () => import('./pages/item/Item.svelte') },
  { path: '/upload', for: 'user', load: () => import('./pages/upload/Upload.svelte') },
  { path: '/collections', for: 'user', load: () => import('./pages/collections/Collections.svelte') },
  { path: '/collections/:id', for: 'user', load: () => import('./pages/collections/Collection.svelte') },
  { path: '/trash', for: 'user', load: () => import('./pages/trash/Trash.svelte') },
  { path: '/usage', for: 'user', load: () => import('./pages/usage/Usage.svelte') },
  { path: '/keys', for: 'user', load: () => import('./pages/keys/Keys.svelte') },
  { path: '/keys/:id', for: 'user', load: () => import('./pages/keys/Tools.svelte') },
  { path: '/notifications', for: 'user', load: () => import('./pages/notifications/Notifications.svelte') },
  { path: '/settings/:section?', for: 'user', load: () => import('./pages/settings/Settings.svelte') },
  { path: '/admin/:section?/:id?', for: 'admin', load: () => import('./pages/admin/Admin.svelte') },
  { path: '/login', for: 'guest', load: () => import('./pages/login/Login.svelte') },
  { path: '/register', for: 'guest', load: () => import('./pages/login/Register.svelte') },
  { path: '/forgot', for: 'guest', load: () => import('./pages/login/Forgot.svelte') },
  { path: '/setup', for: 'all', load: () => import('./pages/setup/Setup.svelte') },
];

/** Begins to load what will be shown first, while the server is asked who is there. */
export function loadFirst(): void {
  const open = mayBeSignedIn();
  const { route } = place();
  const first = open || !route || route.for === 'guest' || route.for === 'all' ? route : routes.find((one) => one.path === '/login');
  for (const one of [first?.load(), open && import('./parts/Shell.svelte')]) {
    if (one) one.catch(() => undefined); // App tells when it is not there
  }
}
