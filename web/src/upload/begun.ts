// Uploads in pieces that were begun in this browser, as tus-js-client remembers them.

/** One that was not ended. */
export interface Begun {
  key: string; // where it is remembered
  address: string; // on the server
  name: string; // of the file
  size: number; // bytes
  sent: number; // bytes that the server has
}

/** What the names of a user's uploads begin with. */
export const kept = (user: string): string => `picora ${user} `;

/** Whether any upload of the user's may be unfinished. */
export function anyBegun(user: string): boolean {
  try {
    return Object.keys(localStorage).some((key) => key.startsWith(`tus::${kept(user)}`));
  } catch {
    return false; // storage is forbidden: nothing is remembered
  }
}
