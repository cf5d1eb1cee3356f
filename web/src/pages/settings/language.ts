// The language of the pages here, and of the mail that the account gets.
import { api } from '../../api';
import { useLanguage, type Language } from '../../i18n.svelte';
import { failed } from '../../parts/toasts.svelte';
import { setUser, type User } from '../../session.svelte';

export async function chooseLanguage(to: Language): Promise<void> {
  await useLanguage(to);
  try {
    setUser(await api<User>('/v1/user/me', { method: 'PATCH', body: { locale: to } }));
  } catch (e) {
    failed(e);
  }
}
