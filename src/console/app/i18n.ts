// English and Korean from one catalogue: each word is a pair, so that neither can be missing.
import { useSyncExternalStore } from 'react';

export type Language = 'en' | 'ko';
export type Pair = readonly [en: string, ko: string];
export type Words = Readonly<Record<string, Pair>>;
export type Vars = Readonly<Record<string, string | number>>;

const listeners = new Set<() => void>();

export function language(): Language {
  return document.documentElement.lang === 'ko' ? 'ko' : 'en';
}

export function setLanguage(next: Language): void {
  localStorage.setItem('sluice.language', next);
  document.documentElement.lang = next;
  for (const listener of listeners) listener();
}

export function useLanguage(): Language {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, language);
}

/** Checks a catalogue and hands it on. */
export function words<const W extends Words>(catalogue: W): W {
  return catalogue;
}

/** Says a word of the catalogue in the reader's language. */
export function useT<W extends Words>(catalogue: W): (key: keyof W, vars?: Vars) => string {
  const chosen = useLanguage();
  return (key, vars) => say(catalogue[key] ?? ['', ''], vars, chosen);
}

/** `{n}` is a value, `{n|user|users}` the word that goes with the number. */
export function say(pair: Pair, vars: Vars = {}, chosen: Language = language()): string {
  const text = pair[chosen === 'ko' ? 1 : 0];
  return text.replaceAll(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_whole, name: string, one?: string, other?: string) => {
    const value = vars[name];
    if (one !== undefined) return value === 1 ? one : (other ?? '');
    return typeof value === 'number' ? value.toLocaleString(chosen) : String(value ?? '');
  });
}
