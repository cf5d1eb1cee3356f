// Light, dark, or as the system has it.
export type Theme = 'system' | 'light' | 'dark';
const stored = 'picora-theme';
const state = $state<{ theme: Theme }>({ theme: 'system' });

export const theme = (): Theme => state.theme;

export function startTheme(): void {
  let was: string | null = null;
  try {
    was = localStorage.getItem(stored);
  } catch {
    // storage is forbidden
  }
  if (was === 'light' || was === 'dark') useTheme(was);
}

export function useTheme(theme: Theme): void {
  state.theme = theme;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(stored, theme);
  } catch {
    // it holds until the page is closed
  }
}
