// The settings of a push target as the form holds them: whole, without the secrets that are saved.
import { ApiError } from '../../api/client.ts';
import type { App } from '../../api/types.ts';
import { fieldProblem } from '../../app/field-problems.ts';
import { stillWrong } from '../setup/model.ts';

export interface Auth {
  readonly kind: 'none' | 'bearer' | 'basic' | 'oauth';
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly tokenUrl?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly scope?: string;
  readonly style?: 'basic' | 'form';
}

export interface Rule {
  readonly to: string;
  readonly from?: string;
  readonly value?: string | number | boolean;
  readonly template?: string;
  readonly when: 'always' | 'create' | 'update';
  readonly required: boolean;
}

export type ResourceType = 'User' | 'Group';
export type Fate = 'deactivate' | 'delete' | 'keep';

export interface Push {
  readonly kind: 'scim';
  readonly preset: string | null;
  readonly baseUrl: string;
  readonly auth: Auth;
  readonly nextAuth: Auth | null;
  /** Null where a value is saved. */
  readonly headers: Readonly<Record<string, string | null>>;
  readonly types: readonly ResourceType[];
  readonly externalId: 'id' | 'externalId';
  readonly matching: Readonly<Record<ResourceType, readonly string[]>>;
  readonly mapping: Readonly<Record<ResourceType, readonly Rule[]>>;
  readonly exclude: readonly string[];
  readonly singleValued: readonly string[];
  readonly deprovision: {
    readonly sourceDeleted: Fate;
    readonly sourceDisabled: Fate;
    readonly outOfScope: Fate;
    readonly groups: 'delete' | 'keep';
    readonly deleteAfterDays: number | null;
  };
  readonly pace: {
    readonly concurrency: number;
    readonly readsPerSecond: number | null;
    readonly writesPerSecond: number | null;
  };
  readonly members: { readonly perRequest: number; readonly requestBytes: number; readonly hidden: boolean };
  readonly dialect: Readonly<Record<string, string | boolean | number>>;
  readonly bulk: boolean;
  readonly maxAttempts: number;
  readonly guard: { readonly max: number; readonly percent: number } | null;
  readonly reconcile: {
    readonly everyHours: number | null;
    readonly repair: { readonly missing: boolean; readonly changed: boolean; readonly members: boolean };
  };
  readonly timeoutSeconds: number;
}

export const VIEWS = ['status', 'connection', 'attributes', 'leavers', 'pace', 'try', 'compare'] as const;
export type View = (typeof VIEWS)[number];
/** Those that edit. */
export const SETTINGS_VIEWS: readonly View[] = ['connection', 'attributes', 'leavers', 'pace'];

export function pushOf(app: App): Push | undefined {
  return app.push === null || app.push === undefined ? undefined : (app.push as Push);
}

/** A preset's settings under the address and credential that were entered. */
export function withPreset(settings: Readonly<Record<string, unknown>>, entered: Pick<Push, 'baseUrl' | 'auth'>): Push {
  return { ...(settings as unknown as Push), baseUrl: entered.baseUrl, auth: entered.auth };
}

export type Errors = Readonly<Record<string, string>>;

/** A part of the settings, as a form. */
export interface SettingsProps {
  readonly app: App;
  readonly value: Push;
  readonly onChange: (next: Push) => void;
  readonly errors: Errors;
}

/** What the gateway says of the fields that were not changed since. */
export function errorsIn(error: unknown, refused: Push | undefined, value: Push): Errors {
  return refused === undefined ? errorsOf(error) : stillWrong(errorsOf(error), refused, value);
}

/** What the gateway says of each field: `push.auth.token: …`. */
export function errorsOf(error: unknown): Errors {
  if (!(error instanceof ApiError)) return {};
  const problems = error.problem['problems'];
  if (!Array.isArray(problems)) return error.code === 'url-refused' ? { baseUrl: error.message } : {};
  return Object.fromEntries(
    problems.map((problem) => {
      const text = typeof problem === 'string' ? problem : '';
      const at = text.indexOf(': ');
      return [text.slice(0, at).replace(/^push\./, ''), fieldProblem(text.slice(at + 2))];
    }),
  );
}

/** Empty fields are left out, so that what is saved stays. */
export function bodyOf(push: Push, auth: Auth = push.auth): Push {
  const filled = Object.entries(auth).filter(([, value]) => value !== '' && value !== undefined);
  return { ...push, auth: Object.fromEntries(filled) as unknown as Auth };
}

export function listOf(text: string): readonly string[] {
  return text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
}
