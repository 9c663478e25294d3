import { type Language, say } from '../../app/i18n.ts';
import type { FieldWords } from '../../ui/field-differences.tsx';
import type { M365Placing } from './model.ts';
import { settingName, settingValue } from './setting-words.ts';

/** What the settings of a kind of source are called, and their values. */
export function fieldWords(kind: string, language: Language): Required<FieldWords> {
  const word = (path: string, value: unknown): string | undefined => {
    const pair = settingValue(kind, path, value);
    return pair === undefined ? undefined : say(pair, {}, language);
  };
  return {
    nameOf(path) {
      const pair = settingName(kind, path);
      return pair === undefined ? undefined : say(pair, {}, language);
    },
    sayValue(path, value) {
      if (!Array.isArray(value)) return word(path, value);
      if (value.length === 0) return undefined;
      if (path === 'destination.rules') return value.map(ruleText).join('; ');
      const said = value.map((one) => word(path, one));
      return said.includes(undefined) ? undefined : said.join(', ');
    },
  };
}

function ruleText({ filter, destinationGroup }: M365Placing): string {
  return `${filter} → ${destinationGroup}`;
}
