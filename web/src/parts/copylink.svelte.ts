// Copies links in the form that was chosen last, and says what it did.
import { copyText } from '../clipboard';
import { t } from '../i18n.svelte';
import { linksOf, prefer, preferred, type Format, type Linkable } from '../links';
import { toast } from './toasts.svelte';

const state = $state<{ format: Format }>({ format: preferred() });

/** The form that links are copied in. */
export const format = (): Format => state.format;

export function useFormat(next: Format): void {
  state.format = next;
  prefer(next);
}

/** Copies the links of these media; with a form, that becomes the one for the next time. Nobody is told that it failed who did not ask for it. */
export async function copyLinks(list: readonly Linkable[], as?: Format, unasked = false): Promise<boolean> {
  if (!list.length) return false;
  if (as) useFormat(as);
  if (!(await copyText(linksOf(list, state.format)))) {
    if (!unasked) toast(t('common.notCopied'), { bad: true, about: 'links' });
    return false;
  }
  const closed = list.filter((m) => m.isPublic === false || m.requireSignature).length;
  const done = t('links.copied', { n: list.length, format: t(`links.${state.format}`) });
  toast(closed ? `${done} ${t('links.closed', { n: closed })}` : done, { about: 'links' }); // of what is on the clipboard: the last one
  return true;
}
