/** Puts text on the clipboard. Pages over plain http have no clipboard API: there a selection is copied. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.setAttribute('readonly', '');
    area.style.position = 'fixed';
    area.style.opacity = '0';
    (document.querySelector('[role="dialog"]') ?? document.body).append(area); // a dialog keeps the focus to itself
    const had = document.activeElement as HTMLElement | null;
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    had?.focus();
    return done;
  }
}
