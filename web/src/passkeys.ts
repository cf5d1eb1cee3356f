// Passkeys: what the server writes as JSON and what the browser's interface takes. Both
// are converted here, because extensions that keep passkeys often lack toJSON.

/** Whether passkeys work in this browser and at this address: not at an IP address, and only over https or on localhost. */
export const passkeysWork = (): boolean => 'PublicKeyCredential' in globalThis && isSecureContext && !/^[\d.]+$|:/.test(location.hostname);

/** Whether the browser offers passkeys where a name is typed. */
export async function autofills(): Promise<boolean> {
  try {
    return passkeysWork() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
  } catch {
    return false;
  }
}

type Json = Record<string, unknown>;

/** The person closed the browser's dialog, or had no passkey to show. */
export const isDismissed = (e: unknown): boolean => e instanceof DOMException && (e.name === 'NotAllowedError' || e.name === 'AbortError');
/** The authenticator has a passkey of this account already. */
export const isKnown = (e: unknown): boolean => e instanceof DOMException && e.name === 'InvalidStateError';

export async function getPasskey(options: Json, more: { signal?: AbortSignal; mediation?: 'conditional' } = {}): Promise<Json> {
  const publicKey = { ...options, challenge: toBytes(options.challenge), allowCredentials: ids(options.allowCredentials) };
  const c = (await navigator.credentials.get({ publicKey: publicKey as unknown as PublicKeyCredentialRequestOptions, ...more })) as PublicKeyCredential;
  const r = c.response as AuthenticatorAssertionResponse;
  return {
    ...common(c),
    response: {
      authenticatorData: toText(r.authenticatorData), clientDataJSON: toText(r.clientDataJSON), signature: toText(r.signature),
      ...(r.userHandle ? { userHandle: toText(r.userHandle) } : {}),
    },
  };
}

export async function createPasskey(options: Json): Promise<Json> {
  const user = options.user as Json;
  const publicKey = { ...options, challenge: toBytes(options.challenge), user: { ...user, id: toBytes(user.id) }, excludeCredentials: ids(options.excludeCredentials) };
  const c = (await navigator.credentials.create({ publicKey: publicKey as unknown as PublicKeyCredentialCreationOptions })) as PublicKeyCredential;
  const r = c.response as AuthenticatorAttestationResponse;
  return {
    ...common(c),
    response: { attestationObject: toText(r.attestationObject), clientDataJSON: toText(r.clientDataJSON), transports: r.getTransports?.() ?? [] },
  };
}

const common = (c: PublicKeyCredential) => ({
  id: c.id, rawId: toText(c.rawId), type: c.type, authenticatorAttachment: c.authenticatorAttachment ?? undefined,
  clientExtensionResults: c.getClientExtensionResults?.() ?? {},
});

const ids = (list: unknown) => ((list ?? []) as Json[]).map((one) => ({ ...one, id: toBytes(one.id) }));

function toBytes(text: unknown): Uint8Array {
  const raw = atob(String(text).replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

const toText = (b: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
