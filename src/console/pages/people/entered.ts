// What the form of a person or a group holds, and what becomes of it: a new one whole, or the difference to one that is here.
import type { BodyOf } from '../../api/client.ts';
import type { ScimResource } from '../../api/types.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

export interface Entered {
  readonly userName: string;
  readonly displayName: string;
  readonly given: string;
  readonly family: string;
  readonly email: string;
  readonly title: string;
  readonly department: string;
  readonly active: boolean;
}

type Text = Exclude<keyof Entered, 'active'>;
type Patch = BodyOf<'PATCH /users/{id}'>;
type PatchOperation = Patch['Operations'][number];

export const NOTHING: Entered = {
  userName: '',
  displayName: '',
  given: '',
  family: '',
  email: '',
  title: '',
  department: '',
  active: true,
};

/** Where SCIM has what a field shows; an address has its place among others. */
const PATHS = {
  userName: 'userName',
  displayName: 'displayName',
  given: 'name.givenName',
  family: 'name.familyName',
  title: 'title',
  department: `${ENTERPRISE}:department`,
} as const satisfies Record<Exclude<Text, 'email'>, string>;

interface Email {
  readonly value?: string;
  readonly primary?: boolean;
}

interface Known {
  readonly userName?: string;
  readonly displayName?: string;
  readonly title?: string;
  readonly active?: boolean;
  readonly name?: { readonly givenName?: string; readonly familyName?: string };
  readonly emails?: readonly Email[];
  readonly [ENTERPRISE]?: { readonly department?: string };
}

/** The address that the form shows. */
function emailOf({ emails }: Known): Email | undefined {
  return emails?.find(({ primary }) => primary === true) ?? emails?.[0];
}

export function enteredOf(resource: ScimResource): Entered {
  const known = resource as unknown as Known;
  return {
    userName: known.userName ?? '',
    displayName: known.displayName ?? '',
    given: known.name?.givenName ?? '',
    family: known.name?.familyName ?? '',
    email: emailOf(known)?.value ?? '',
    title: known.title ?? '',
    department: known[ENTERPRISE]?.department ?? '',
    active: known.active ?? true,
  };
}

/** Somebody new. */
export function userOf(value: Entered): Readonly<Record<string, unknown>> {
  const filled = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());
  const { given, family, email, department } = value;
  return {
    schemas: department === '' ? [USER] : [USER, ENTERPRISE],
    userName: value.userName.trim(),
    displayName: filled(value.displayName),
    title: filled(value.title),
    active: value.active,
    ...(given + family === '' ? {} : { name: { givenName: filled(given), familyName: filled(family) } }),
    ...(email === '' ? {} : { emails: [{ value: email.trim(), type: 'work', primary: true }] }),
    ...(department === '' ? {} : { [ENTERPRISE]: { department } }),
  };
}

/** What makes the resource as the form has it, and touches nothing that the form does not show; undefined when it is so already. */
export function changesOf(resource: ScimResource, value: Entered): Patch | undefined {
  const was = enteredOf(resource);
  const known = resource as unknown as Known;
  const operations = Object.keys(PATHS).flatMap((name): PatchOperation[] => {
    const field = name as keyof typeof PATHS;
    const now = value[field].trim();
    return now === was[field] ? [] : [setting(PATHS[field], now)];
  });
  const email = value.email.trim();
  if (email !== was.email) operations.push(settingEmail(emailOf(known), email));
  if (value.active !== was.active) operations.push({ op: 'replace', path: 'active', value: value.active });
  return operations.length === 0 ? undefined : { schemas: [PATCH], Operations: operations };
}

function setting(path: string, text: string): PatchOperation {
  return text === '' ? { op: 'remove', path } : { op: 'replace', path, value: text };
}

/** In the place of the one that was shown; beside others where none was. */
function settingEmail(shown: Email | undefined, email: string): PatchOperation {
  if (shown?.value === undefined)
    return { op: 'add', path: 'emails', value: [{ value: email, type: 'work', primary: true }] };
  const which = shown.primary === true ? 'primary eq true' : `value eq ${JSON.stringify(shown.value)}`;
  return email === ''
    ? { op: 'remove', path: `emails[${which}]` }
    : { op: 'replace', path: `emails[${which}].value`, value: email };
}
