// What the large-change limits are called where they stand alone, without their form around them.
import { useT } from '../../app/i18n.ts';
import { WORDS } from './words.ts';

const NAMES: Readonly<Record<string, keyof typeof WORDS>> = {
  ...{ percent: 'percent', minObjects: 'minObjects', maxDeletes: 'maxDeletes' },
  ...{ membershipPercent: 'membershipPercent', groupMembershipPercent: 'groupPercent' },
  ...{ attributePercent: 'attributePercent', enabled: 'enabled', protect: 'protect', holds: 'holds' },
};

export function useLimitWords() {
  const t = useT(WORDS);
  return {
    nameOf(path: string): string | undefined {
      const name = NAMES[path];
      return name === undefined ? undefined : t(name);
    },
    sayValue: (path: string, value: unknown): string | undefined =>
      path === 'holds' ? t(value === 'plan' ? 'holdsPlan' : 'holdsClass') : undefined,
  };
}
