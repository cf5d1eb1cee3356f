// Text that is pasted where files are uploaded can be kept as a document. It is asked
// first: most text on a clipboard is there for another reason.
import { t } from '../../i18n.svelte';
import { written } from '../../upload/files';
import { add } from '../../upload/queue.svelte';
import { confirmed } from '../confirm.svelte';

const shown = 200; // characters

/** Offers to keep a text; false: there is none. */
export function offerText(text: string): boolean {
  const found = written(text);
  if (!found) return false;
  const start = text.trim().slice(0, shown);
  void confirmed({ title: t('upload.keepText'), text: start.length < text.trim().length ? `${start}…` : start, action: t('upload.keepTextYes') }).then((yes) => {
    if (yes) add([found]);
  });
  return true;
}
