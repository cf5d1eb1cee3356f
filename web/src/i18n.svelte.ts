// What people read, in their language: t('library.items', { n: 3 }). One JSON file holds
// each language; src/i18n.test.ts checks that they have the same keys.
import en from './i18n/en.json';

type Tree = { [key: string]: string | Tree };
type Leaves<T> = { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Leaves<T[K]>}` }[keyof T & string];
/** A text by its path in en.json; of a text in several numbers (…_one, …_other), the path before the underscore. */
export type Key = Leaves<typeof en> extends infer K ? (K extends `${infer Base}_${'one' | 'other'}` ? Base : K) : never;
export type Values = Record<string, string | number>;

export const languages = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof languages;

const stored = 'picora-language';
const storedZone = 'picora-time-zone';
const state = $state<{ language: Language; zone: string }>({ language: 'en', zone: '' });
let texts = $state.raw<Tree>(en);
let chosen = false;

/** The language that the page is in. */
export const language = (): Language => state.language;

/** Whether somebody chose the language in this browser. */
export const isLanguageChosen = (): boolean => chosen;

/** The time zone that times are shown in; '' is the system's. */
export const timeZone = (): string => state.zone;

export function useTimeZone(zone: string): void {
  state.zone = isTimeZone(zone) ? zone : '';
  try {
    if (state.zone) localStorage.setItem(storedZone, state.zone);
    else localStorage.removeItem(storedZone);
  } catch {
    // it holds until the page is closed
  }
}

function isTimeZone(zone: string): boolean {
  try {
    return !!zone && !!new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    return false; // another browser, or an older one, knew it
  }
}

/** Chooses the language and time zone that were last chosen here, or the browser's. */
export async function startLanguage(): Promise<void> {
  let wanted: string | null = null;
  try {
    wanted = localStorage.getItem(stored);
    const zone = localStorage.getItem(storedZone) ?? '';
    if (isTimeZone(zone)) state.zone = zone;
  } catch {
    // storage is forbidden: the browser's language it is
  }
  chosen = wanted !== null;
  await useLanguage(toLanguage(wanted ?? navigator.language), false);
}

/** The language that a tag as in "zh-Hans-CN" means here. */
export function toLanguage(tag: string): Language {
  return tag.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

export async function useLanguage(language: Language, remember = true): Promise<void> {
  texts = language === 'en' ? en : (await import('./i18n/zh-CN.json')).default;
  state.language = language;
  document.documentElement.lang = language;
  if (!remember) return;
  chosen = true;
  try {
    localStorage.setItem(stored, language);
  } catch {
    // it holds until the page is closed
  }
}

function find(tree: Tree, key: string): string | undefined {
  let at: Tree | string | undefined = tree;
  for (const part of key.split('.')) at = typeof at === 'object' ? at[part] : undefined;
  return typeof at === 'string' ? at : undefined;
}

/** The text of that key, with {name} replaced by values.name. values.n chooses the plural. */
export function t(key: Key, values: Values = {}): string {
  let text = find(texts, key);
  if (text === undefined && typeof values.n === 'number') {
    const form = kept('plural', undefined, () => new Intl.PluralRules(state.language)).select(values.n);
    text = find(texts, `${key}_${form}`) ?? find(texts, `${key}_other`);
  }
  text ??= find(en, key) ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const v = values[name];
    return typeof v === 'number' ? number(v) : (v ?? `{${name}}`);
  });
}

// Formats are kept, for they are dear to make: the first one of a page costs a phone 0.1 s.
const formats = new Map<string, unknown>();
function kept<T>(kind: string, options: object | undefined, make: () => T): T {
  const key = `${kind} ${state.language} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key) as T;
}

export function number(n: number, options?: Intl.NumberFormatOptions): string {
  if (!options && Number.isInteger(n) && n >= 0 && n < 1000) return String(n); // written the same in all languages that there are here
  return kept('number', options, () => new Intl.NumberFormat(state.language, options)).format(n);
}

/** A size in bytes as people read it: 1.5 MB. Decimal units, as plans count. */
export function bytes(n: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'];
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return number(n, { style: 'unit', unit: units[i], unitDisplay: i ? 'short' : 'long', maximumSignificantDigits: 3 });
}

/** Seconds as a player shows them: 1:05, 2:03:04. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

export function date(d: string | number | Date, options: Intl.DateTimeFormatOptions = { dateStyle: 'medium' }): string {
  const all = { timeZone: state.zone || undefined, ...options };
  return kept('date', all, () => new Intl.DateTimeFormat(state.language, all)).format(new Date(d));
}
export const time = (d: string | number | Date): string => date(d, { dateStyle: 'medium', timeStyle: 'short' });

/** How long ago, or how long from now: "3 minutes ago". */
export function ago(d: string | number | Date): string {
  const seconds = (new Date(d).getTime() - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(state.language, { numeric: 'auto' });
  for (const [unit, length] of [['year', 31557600], ['month', 2629800], ['day', 86400], ['hour', 3600], ['minute', 60]] as const) {
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  }
  return format.format(Math.trunc(seconds), 'second');
}
