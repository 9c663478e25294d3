// Settings that several people may change: an answer has a tag, and whoever sends it back in If-Match overwrites nobody.
import type { Request, Response } from 'express';
import { canonical } from '#core/canonical.ts';
import { digestOf } from '#core/digest.ts';
import { PreconditionError } from '#core/errors.ts';
import { etagOf, expectation } from '#http/etag.ts';
import { lastAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';

/** What a document says is its version: two that say the same have the same tag. */
function versionOf(document: object): string {
  return digestOf(canonical(document)).toString('hex').slice(0, 32);
}

/**
 * Answers a document with its tag.
 * @param said what the tag is of, where an answer has more than what was saved
 */
export function sendDocument(response: Response, document: object, said: object = document): void {
  response.setHeader('etag', etagOf(versionOf(said)));
  response.json(document);
}

/** By which line of the audit log it is known who has changed a document. */
interface Deed {
  readonly action: string;
  readonly object?: string;
}

/**
 * Call it with the document as it is, locked.
 * @throws {PreconditionError} `settings-changed` when If-Match names another one; `details` has `savedBy` and `savedAt`
 */
export async function refuseChanged(tx: Db, request: Request, said: object, deed: Deed): Promise<void> {
  if (expectation(request)?.(versionOf(said)) === false) throw await changedMeanwhile(tx, deed);
}

/** @returns what to throw: it says who has changed the document, and when */
export async function changedMeanwhile(
  tx: Db,
  { action, object }: Deed,
  details: Readonly<Record<string, unknown>> = {},
): Promise<PreconditionError> {
  const last = await lastAudit(tx, action, object);
  return new PreconditionError('Somebody else has saved these settings meanwhile.', {
    reason: 'settings-changed',
    remedy: 'Read them again, and look at what was saved before you save yours.',
    details: { ...details, savedBy: last?.actor ?? null, savedAt: last?.at ?? null },
  });
}
