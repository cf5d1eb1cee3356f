// Text that is pasted where files are uploaded can be kept as a document, and addresses
// can be fetched from. It is asked first: most text on a clipboard is there for another
// reason.
import { t } from '../../i18n.svelte';
import { addresses, written } from '../../upload/files';
import { add } from '../../upload/queue.svelte';
import { confirmed } from '../confirm.svelte';

const shown = 200; // characters

/** Offers to keep a text, or to fetch what its lines are addresses of; false: there is none. */
export function offerText(text: string): boolean {
  const found = written(text);
  if (!found) return false;
  const links = addresses(text);
  if (!links.wrong.length) {
    const names = links.found.slice(0, 3).map((one) => one.url).join(' · ') + (links.found.length > 3 ? ' …' : '');
    void confirmed({ title: t('upload.fetchPasted', { n: links.found.length }), text: names, action: t('upload.fetch') }).then((yes) => {
      if (yes) add(links.found);
    });
    return true;
  }
  const start = text.trim().slice(0, shown);
  void confirmed({ title: t('upload.keepText'), text: start.length < text.trim().length ? `${start}…` : start, action: t('upload.keepTextYes') }).then((yes) => {
    if (yes) add([found]);
  });
  return true;
}
