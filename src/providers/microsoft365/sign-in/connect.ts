// The way of admin consent: an administrator of the tenant grants the application's permissions in the browser. Only a
// grant is made there; a sync signs in with the application's own credential. No code and no token travel by the browser,
// so there is nothing for PKCE to protect.
// Source: learn.microsoft.com/entra/identity-platform/v2-admin-consent, checked 2026-11.
import type { z } from 'zod';
import type { Connector } from '#core/connect.ts';
import { ConflictError, CredentialsError, type GatewayError, InputError } from '#core/errors.ts';
import { checkForm, textOf } from '#core/problems.ts';
import { readFacts } from '../facts.ts';
import type { Graph } from '../graph/client.ts';
import { ConnectTarget, type Microsoft365Settings } from '../settings.ts';
import { explainAadsts } from './auth-errors.ts';
import { endpointsOf } from './endpoints.ts';
import { neededPermissions } from './permissions.ts';

type Target = z.output<typeof ConnectTarget>;

/** The authority for whoever signs in: their tenant is the one that consents. */
const ANY_TENANT = 'organizations';
const TENANT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function connector(open: (settings: Microsoft365Settings) => Graph): Connector<Microsoft365Settings> {
  return {
    target(settings, draft) {
      const { tenantId, clientId, cloud, endpoints } = settings ?? {};
      const given = draft ?? { tenantId, clientId, cloud, endpoints };
      const checked = checkForm(ConnectTarget, given);
      if (checked.problems === undefined) return checked.value;
      const { problems } = checked;
      throw new InputError(`The application cannot be connected: ${textOf(problems)}.`, {
        reason: 'settings-invalid',
        remedy: 'Correct the fields named.',
        details: { problems },
      });
    },
    permissions(settings) {
      const { required, optional } = neededPermissions(settings);
      return [...required, ...optional];
    },
    consentUrl(target, { redirectUri, state }) {
      const { tenantId, clientId, ...where } = target as Target;
      const url = new URL(`${endpointsOf(where).login}/${tenantId ?? ANY_TENANT}/v2.0/adminconsent`);
      url.searchParams.set('client_id', clientId);
      url.searchParams.set('redirect_uri', redirectUri);
      url.searchParams.set('state', state);
      // Whatever the app registration lists: the permissions that an administrator sees there and here are the same.
      url.searchParams.set('scope', `${endpointsOf(where).graph}/.default`);
      return url.href;
    },
    readAnswer(target, answer) {
      const { tenantId } = target as Target;
      if (answer['error'] !== undefined) throw explainRefusal(answer);
      const sourceId = answer['tenant'];
      if (answer['admin_consent']?.toLowerCase() !== 'true' || sourceId === undefined || !TENANT_ID.test(sourceId))
        throw new CredentialsError('Microsoft did not say that an administrator has consented.', {
          failure: 'consent',
          reason: 'consent-required',
          remedy: 'Start again, and accept the permissions on the page of Microsoft.',
        });
      if (tenantId !== undefined && TENANT_ID.test(tenantId) && tenantId.toLowerCase() !== sourceId.toLowerCase())
        throw new ConflictError('An administrator of another tenant has consented.', {
          reason: 'tenant-mismatch',
          remedy: `Sign in with an administrator of tenant ${tenantId}, or correct tenantId in the settings.`,
        });
      return { sourceId: sourceId.toLowerCase() };
    },
    isFor: (settings, target) => settings.clientId === (target as Target).clientId,
    facts: (settings, signal) => readFacts(open(settings), settings, signal),
  };
}

/** `error` and `error_description`, of which the second mostly has an AADSTS number. */
function explainRefusal(answer: Readonly<Record<string, string>>): GatewayError {
  const said = `${answer['error_description'] ?? ''} ${answer['error_subcode'] ?? ''}`;
  const explained = explainAadsts(said, undefined);
  if (explained !== undefined) return explained;
  const declined =
    /cancel|declin/i.test(said) || answer['error'] === 'permission_denied' || answer['error'] === 'access_denied';
  return new CredentialsError(
    declined ? 'The administrator declined the permissions.' : 'Microsoft refuses the consent.',
    {
      failure: 'consent',
      reason: declined ? 'consent-declined' : 'consent-refused',
      remedy: 'Start again, and sign in with a global administrator of the tenant, or a privileged role administrator.',
    },
  );
}
