// What the audit log calls what was done, in words.
import { t, type Key } from '../../i18n.svelte';

const actions = new Set([
  'user.created', 'user.registered', 'user.changed', 'user.deleted', 'user.banned', 'user.unbanned', 'user.signed_out', 'user.factors_reset', 'user.email_changed', 'user.locked',
  'session.created', 'session.ended', 'session.ended_others', 'session.refused', 'session.confirmed', 'session_keys.rotated',
  'password.set', 'password.changed', 'password.reset', 'totp.enabled', 'totp.disabled', 'passkey.created', 'passkey.deleted', 'passkey.refused',
  'identity.linked', 'identity.unlinked', 'apikey.created', 'apikey.changed', 'apikey.revoked', 'apikey.exported',
  'invite.created', 'invite.changed', 'invite.deleted', 'announcement.created', 'announcement.deleted',
  'settings.changed', 'audit.exported', 'usage.repaired', 'server.setup', 'job.retried', 'job.cancelled',
  'blobs.copy_started', 'blobs.copy_ended', 'blobs.placed', 'scrub.started', 'scrub.stopped',
]);

/** What filters by action suggest: nouns stand for all that is done to them. */
export const nouns = [...new Set([...actions].map((a) => a.split('.')[0] ?? a)), ...actions];

/** The action in words; one that is not known here as it is. */
export const actionName = (action: string): string => (actions.has(action) ? t(`admin.audit.actions.${action}` as Key) : action);
