// The page on which an administrator of the tenant consents to an application, answered at once.
// Source: learn.microsoft.com/entra/identity-platform/v2-admin-consent, checked 2026-11.
import type { Answer, Application } from './token-endpoint.ts';

/** What the administrator does. */
export type Decision = 'accept' | 'decline';

export interface ConsentParts {
  readonly tenantId: string;
  readonly application: Application;
  readonly decision: Decision;
}

/** Where the browser is sent; or the page with an error that Microsoft shows itself and does not send back. */
export function answerConsent(
  { searchParams }: URL,
  { tenantId, application, decision }: ConsentParts,
): { readonly location: string } | Answer {
  const redirectUri = searchParams.get('redirect_uri') ?? '';
  if (searchParams.get('client_id') !== application.clientId) return page(700016, 'The application was not found.');
  if (application.redirectUris?.includes(redirectUri) === false || !URL.canParse(redirectUri))
    return page(50011, `The redirect URI '${redirectUri}' does not match those configured for the application.`);
  const back = new URL(redirectUri);
  const state = searchParams.get('state');
  if (state !== null) back.searchParams.set('state', state);
  if (decision === 'decline') {
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', 'AADSTS65004: User declined to consent to access the app.');
    return { location: back.href };
  }
  back.searchParams.set('admin_consent', 'True');
  back.searchParams.set('tenant', tenantId);
  back.searchParams.set('scope', searchParams.get('scope') ?? '');
  return { location: back.href };
}

function page(number: number, text: string): Answer {
  return { status: 400, body: { error: 'invalid_request', error_description: `AADSTS${number}: ${text}` } };
}
