// "Confirm that it is you": what changes how somebody signs in wants that from time to
// time. api.ts asks by itself when the server does; parts/Proof.svelte is the dialog.
const state = $state<{ asking: boolean }>({ asking: false });
let waiting: ((yes: boolean) => void)[] = [];

export const askingProof = (): boolean => state.asking;

/** Asks the person to show who they are; false: they would rather not. */
export function proven(): Promise<boolean> {
  state.asking = true;
  return new Promise((resolve) => waiting.push(resolve));
}

export function answerProof(yes: boolean): void {
  state.asking = false;
  const all = waiting;
  waiting = [];
  for (const tell of all) tell(yes);
}
