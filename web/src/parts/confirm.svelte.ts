// Asks before something that cannot be undone: if (await confirmed({ … })) …
export interface Question {
  title: string;
  text?: string;
  action: string; // what the button says that does it
  danger?: boolean;
  type?: string; // a word that has to be typed first
}

export const asked = $state<{ question: Question | null }>({ question: null });
let answer: ((yes: boolean) => void) | undefined;

export function confirmed(question: Question): Promise<boolean> {
  answer?.(false);
  asked.question = question;
  return new Promise((resolve) => (answer = resolve));
}

export function reply(yes: boolean): void {
  asked.question = null;
  answer?.(yes);
  answer = undefined;
}
