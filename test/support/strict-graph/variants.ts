// Settings that differ from history to history, with what they mean.
import type { Directory, Entry } from './directory.ts';
import type { Policy, Variant } from './expected.ts';
import { DOMAIN } from './histories.ts';
import type { Random } from './random.ts';

type Matches = Variant['matches'];

const nameOf = ({ properties }: Entry): unknown => properties['displayName'];

function chooseFilter(random: Random, directory: Directory): readonly [string, Matches] {
  const group = random.pick(directory.entries('groups', 'live'));
  const filters: (readonly [string, Matches])[] = [
    ['', () => true],
    ['', () => true],
    ['accountEnabled eq true', ({ accountEnabled }) => accountEnabled === true],
    [
      "department eq 'Sales' or jobTitle sw 'Lead'",
      ({ department, jobTitle }) => department === 'Sales' || String(jobTitle ?? '').startsWith('Lead'),
    ],
    [
      "userType eq 'Member' and not (department eq 'Ops')",
      ({ userType, department }) => userType === 'Member' && department !== 'Ops',
    ],
    [
      `memberOf eq '${group?.id}' or jobTitle pr`,
      ({ jobTitle }, groups) => jobTitle != null || groups.some(({ id }) => id === group?.id),
    ],
    [
      `not (memberOf eq "${String(nameOf(group ?? ({ properties: {} } as Entry))).replaceAll(/["\\]/g, '\\$&')}")`,
      (_properties, groups) => !groups.some((one) => nameOf(one) === nameOf(group ?? ({ properties: {} } as Entry))),
    ],
    ['memberOf pr', (_properties, groups) => groups.length > 0],
  ];
  return random.pick(filters) ?? ['', () => true];
}

const TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'];
const MAILBOXES = ['user', 'linked', 'shared', 'room', 'equipment', 'others'];
const POLICIES: readonly Policy[] = ['deactivate', 'deactivate', 'delete', 'keep'];

/** Of the mode that is given, which stays: what groups are selected decides about everything else. */
export function chooseVariant(random: Random, directory: Directory, mode: Variant['mode']): Variant {
  const [filter, matches] = chooseFilter(random, directory);
  const groups = random.shuffle(directory.entries('groups', 'live')).map(({ id }) => id);
  const nestedGroups = random.pick(['include', 'include', 'flatten', 'ignore'] as const) ?? 'include';
  return {
    ...{ mode, filter, matches, nestedGroups },
    groupIds: mode === 'groups' ? groups.slice(0, 3) : [],
    maxDepth: random.chance(0.3) ? random.int(3) : null,
    groupTypes: random.chance(0.6) ? TYPES : TYPES.filter(() => random.chance(0.7)),
    dynamicMembership: random.chance(0.8) ? 'include' : 'exclude',
    domains: random.chance(0.15) ? [DOMAIN] : [],
    excludeOnMicrosoft: random.chance(0.25),
    guests: random.chance(0.8) ? 'include' : 'exclude',
    mailboxTypes: random.chance(0.6) ? MAILBOXES : ['user', ...MAILBOXES.filter(() => random.chance(0.4))],
    requireLicence: random.chance(0.1),
    requireMailbox: random.chance(0.1),
    onLeaveScope: random.pick(POLICIES) ?? 'deactivate',
    onSourceSoftDelete: random.pick(POLICIES) ?? 'deactivate',
    onSourceHardDelete: random.chance(0.8) ? 'delete' : 'deactivate',
    rootGroupId: mode === 'full' && random.chance(0.4) ? (groups[0] ?? null) : null,
  };
}

/** As `PUT /api/v1/providers/microsoft365` takes it. */
export function toSettings(variant: Variant): Record<string, unknown> {
  const { matches: _matches, rootGroupId, mailboxTypes, ...scope } = variant;
  return { scope: { ...scope, mailboxTypes: [...new Set(mailboxTypes)] }, pathDisplay: { rootGroupId } };
}
