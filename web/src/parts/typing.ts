/** Whether a key is for what has the focus, or for a dialog or menu, and so no shortcut of the page. */
export function typing(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  const at = event.target as HTMLElement | null;
  if (at?.isContentEditable || at?.matches?.('input:not([type=checkbox],[type=radio],[type=button],[type=range]), textarea, select')) return true;
  return document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]') !== null;
}
