// The admin REST edge, /api/v1: one file per noun. It translates and hands on; decisions are made elsewhere.
import { Router } from 'express';
import { principalOf, refuseScoped, requireScope } from '#http/auth.ts';
import { jsonBody, refuseOtherBody } from '#http/json-body.ts';
import { requireIdentity } from '#http/session.ts';
import { actorRoutes } from './actors.ts';
import { appRoutes } from './apps.ts';
import { auditRoutes } from './audit.ts';
import { changeRoutes } from './changes.ts';
import { connectCallback, connectRoutes } from './connect.ts';
import { costRoutes } from './costs.ts';
import { deliveryRoutes } from './deliveries.ts';
import { diagnosticsRoutes } from './diagnostics.ts';
import { disputeRoutes } from './disputes.ts';
import { docsPage } from './docs.ts';
import { draftRoutes } from './drafts.ts';
import { eventRoutes } from './events.ts';
import { explainRoutes } from './explain.ts';
import { refuseUnknown } from './known-requests.ts';
import { mappingRoutes } from './mapping.ts';
import { notificationRoutes } from './notifications.ts';
import { operationRoutes } from './operations.ts';
import { overviewRoutes } from './overview.ts';
import type { AdminParts } from './parts.ts';
import { peopleRoutes } from './people.ts';
import { pinRoutes } from './pins.ts';
import { planRoutes } from './plans.ts';
import { providerRoutes } from './providers.ts';
import { pushRoutes } from './push.ts';
import { retentionRoutes } from './retention.ts';
import { runRoutes } from './runs.ts';
import { scopeTryRoute } from './scope-try.ts';
import { secretRoutes } from './secrets.ts';
import { sessionRoutes, signInRoutes } from './session.ts';
import { settingsChangeRoutes } from './settings-changes.ts';
import { jwksRoute, signingKeyRoutes } from './signing-keys.ts';
import { sourceRoutes } from './source.ts';
import { tokenRoutes } from './tokens.ts';
import { uploadRoutes } from './uploads.ts';

const BODY_MAX = '1mb';

export function adminRouter(parts: AdminParts): Router {
  const api = Router()
    .get('/openapi.json', (_request, response) => {
      response.json(parts.openapi);
    })
    .use(signInRoutes(parts))
    .use(requireIdentity(parts.authenticator, parts.sessions), requireScope('admin', 'operator', 'viewer'))
    .use((request, _response, next) => {
      refuseScoped(principalOf(request).scope);
      next();
    })
    .use(refuseUnknown(parts.openapi))
    // Takes files, and no JSON.
    .use(uploadRoutes(parts))
    .use(refuseOtherBody, jsonBody(BODY_MAX))
    .use(sessionRoutes(parts))
    .use(overviewRoutes(parts))
    .use(actorRoutes(parts))
    .use(eventRoutes(parts))
    .use(draftRoutes(parts))
    .use(providerRoutes(parts))
    .use(sourceRoutes(parts))
    .use(connectRoutes(parts))
    .use(mappingRoutes(parts))
    .use(scopeTryRoute(parts))
    .use(settingsChangeRoutes(parts))
    .use(runRoutes(parts))
    .use(planRoutes(parts))
    .use(pinRoutes(parts))
    .use(operationRoutes(parts))
    .use(auditRoutes(parts))
    .use(costRoutes(parts))
    .use(retentionRoutes(parts))
    .use(notificationRoutes(parts))
    .use(peopleRoutes(parts))
    .use(disputeRoutes(parts))
    .use(explainRoutes(parts))
    .use(changeRoutes(parts))
    .use(deliveryRoutes(parts))
    .use(pushRoutes(parts))
    .use(appRoutes(parts))
    .use(tokenRoutes(parts))
    .use(signingKeyRoutes(parts))
    .use(secretRoutes(parts))
    .use(diagnosticsRoutes(parts));
  return Router()
    .use('/api/v1', api)
    .use(connectCallback(parts))
    .get('/api/docs', docsPage(parts.openapi))
    .use(jwksRoute(parts));
}
