// What the settings of a source are called where they stand alone, without their form around them.
import { useT } from '../../app/i18n.ts';
import { ACCOUNTS } from './account-words.ts';
import { DESTINATION } from './destination-words.ts';
import type { M365Placing } from './model.ts';
import { WORDS } from './words.ts';

const NAMES: Readonly<Record<string, keyof typeof WORDS>> = {
  'credential.kind': 'credential',
  'credential.certificate': 'certPem',
  'credential.privateKey': 'keyPem',
  'scope.groupIds': 'groups',
  'scope.nestedGroups': 'nested',
  'scope.dynamicMembership': 'dynamic',
  'scope.mailboxTypes': 'mailboxes',
  'scope.onSourceSoftDelete': 'onSoft',
  'scope.onSourceHardDelete': 'onHard',
  'scope.deleteAfterDays': 'deleteAfter',
  'pathDisplay.rootGroupId': 'pathRoot',
  'mapping.users': 'mapping',
};
const CHOICES = /(^|\.)(kind|cloud|mode|nestedGroups|groupTypes|onLeaveScope|onSource\w+)$/;

const DESTINATION_NAMES: Readonly<Record<string, keyof typeof DESTINATION>> = {
  'destination.rules': 'rules',
  'destination.match': 'match',
  'destination.default': 'rest',
  'notifications.enabled': 'notices',
  'notifications.sweepMinutes': 'sweep',
};

const ACCOUNT_NAMES: Readonly<Record<string, keyof typeof ACCOUNTS>> = {
  'scope.maxDepth': 'depth',
  matching: 'order',
  adoptManual: 'adopt',
  initialRun: 'first',
};
const ACCOUNT_CHOICES = new Set(['matching', 'adoptManual', 'initialRun']);

export function useFieldWords() {
  const t = useT(WORDS);
  const account = useT(ACCOUNTS);
  const accountWord = (value: unknown): string => account(String(value) as keyof typeof ACCOUNTS) || String(value);
  const placing = useT(DESTINATION);
  const word = (value: unknown): string => (String(value) in WORDS ? t(value as keyof typeof WORDS) : String(value));
  return {
    nameOf: (path: string): string | undefined => {
      const place = DESTINATION_NAMES[path];
      if (place !== undefined) return placing(place);
      const own = ACCOUNT_NAMES[path];
      if (own !== undefined) return account(own);
      const last = path.slice(path.lastIndexOf('.') + 1);
      const name = NAMES[path] ?? (last in WORDS ? (last as keyof typeof WORDS) : undefined);
      return name === undefined ? undefined : t(name);
    },
    sayValue: (path: string, value: unknown): string | undefined => {
      if (path === 'destination.match') return placing(value === 'all' ? 'all' : 'first');
      if (path === 'destination.rules' && Array.isArray(value)) return value.map(ruleText).join('; ');
      if (ACCOUNT_CHOICES.has(path) && value != null)
        return Array.isArray(value) ? value.map(accountWord).join(', ') : accountWord(value);
      if (!CHOICES.test(path) || value === null || value === undefined) return undefined;
      return Array.isArray(value) ? value.map(word).join(', ') : word(value);
    },
  };
}

function ruleText({ filter, destinationGroup }: M365Placing): string {
  return `${filter} → ${destinationGroup}`;
}
