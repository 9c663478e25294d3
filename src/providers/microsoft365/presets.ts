// Settings under a name, for the ways in which products of this kind are used. Each is a start: what it says goes into the
// settings, and may be changed there like anything else.
import type { Preset } from '#core/provider.ts';

const EVERY_GROUP_TYPE = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'];
const MAIL_AND_SECURITY = ['security', 'mailEnabledSecurity', 'distribution'];

export const PRESETS: readonly Preset[] = [
  {
    name: 'clumio',
    title: 'Everything with a mailbox, at once',
    description:
      'All users with an Exchange licence, all shared mailboxes, rooms and equipment, all groups. The first run starts and applies by itself; changes follow by notification, everything is read daily.',
    settings: {
      scope: {
        mode: 'full',
        groupTypes: EVERY_GROUP_TYPE,
        dynamicMembership: 'include',
        mailboxTypes: ['user', 'linked', 'shared', 'room', 'equipment'],
        requireLicence: true,
        requireMailbox: false,
        onLeaveScope: 'delete',
      },
      initialRun: 'auto',
      notifications: { enabled: true },
    },
    schedule: { enabled: true, kind: 'daily', time: '01:00', timeZone: 'UTC' },
    guard: { enabled: true },
  },
  {
    name: 'security365',
    title: 'Users with their security and mail groups',
    description:
      'The whole directory, or designated groups with the groups in them; Microsoft 365 groups stay out. Nothing happens before a preview; a daily run is switched on afterwards.',
    settings: {
      scope: {
        mode: 'full',
        nestedGroups: 'include',
        groupTypes: MAIL_AND_SECURITY,
        dynamicMembership: 'include',
        onLeaveScope: 'delete',
      },
      initialRun: 'preview',
      adoptManual: 'never',
    },
    schedule: { enabled: false, kind: 'daily', time: '02:00', timeZone: 'UTC' },
    guard: { enabled: true },
  },
  {
    name: 'zivver',
    title: 'Accounts that are suspended, never deleted',
    description:
      'All kinds of groups with their direct members; groups in groups are not followed. Whoever leaves is suspended. More than 10 % of one kind of change waits for a person.',
    settings: {
      scope: {
        mode: 'full',
        nestedGroups: 'ignore',
        groupTypes: EVERY_GROUP_TYPE,
        dynamicMembership: 'include',
        onLeaveScope: 'deactivate',
        onSourceSoftDelete: 'deactivate',
        onSourceHardDelete: 'deactivate',
        deleteAfterDays: null,
      },
      initialRun: 'preview',
      matching: ['externalId', 'anchors', 'userName', 'emails'],
    },
    schedule: { enabled: false, kind: 'interval', everyMinutes: 1_440 },
    guard: { enabled: true, percent: 10, minObjects: 10, maxDeletes: 500 },
  },
  {
    name: 'mailprotector',
    title: 'Every address of your domains',
    description:
      'Everybody with a mailbox, licensed or not, shared mailboxes, rooms and equipment with their mark, all of them in the group "Main"; no onmicrosoft.com addresses. Whoever loses the mailbox is removed. Enter your domains in scope.domains.',
    settings: {
      scope: {
        mode: 'full',
        domains: [],
        excludeOnMicrosoft: true,
        mailboxTypes: ['user', 'linked', 'shared', 'room', 'equipment', 'others'],
        requireLicence: false,
        requireMailbox: true,
        onLeaveScope: 'delete',
      },
      destination: { default: 'Main' },
      initialRun: 'preview',
    },
    schedule: { enabled: false, kind: 'interval', everyMinutes: 60 },
    guard: { enabled: true },
  },
];
