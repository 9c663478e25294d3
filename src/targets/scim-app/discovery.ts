// What a target says of itself. Many say nothing, and some are wrong: what is tried later counts more.
import type { ResourceType } from '#core/resource.ts';
import { type Capabilities, type Payload, TargetError, type TargetFailure } from '#core/target.ts';
import type { ScimClient } from './client.ts';
import { declaredAttributes } from './shape.ts';

/** A target that does not say is taken to be able to do what nearly all can. */
const UNSAID: Capabilities = { patch: true, bulk: undefined, filter: true, etag: false, resourceTypes: null };

/** Of a service that has just let us in, a refused credential as well: some gateways answer 403 to paths that they do not have. */
const NOT_SAID: ReadonlySet<TargetFailure> = new Set([
  ...(['gone', 'refused', 'unsupported', 'contract', 'server', 'credentials'] as const),
]);

/** Asked after a probe that succeeded. @throws {TargetError} it cannot be reached */
export async function discover(client: ScimClient, signal: AbortSignal): Promise<Capabilities> {
  const config = await ask(client, '/ServiceProviderConfig', signal);
  const types = await ask(client, '/ResourceTypes', signal);
  const schemas = await ask(client, '/Schemas', signal);
  const attributes = declaredAttributes(schemas, types);
  const readOnly = declaredAttributes(schemas, types, 'readOnly');
  if (config === undefined) return { ...UNSAID, attributes, readOnly, resourceTypes: typesOf(types) };
  return {
    attributes,
    readOnly,
    patch: isSupported(config['patch'], true),
    bulk: bulkOf(config['bulk']),
    filter: isSupported(config['filter'], true),
    etag: isSupported(config['etag'], false),
    resourceTypes: typesOf(types),
  };
}

async function ask(client: ScimClient, path: string, signal: AbortSignal): Promise<Payload | undefined> {
  try {
    return (await client.send({ method: 'GET', path }, signal)).body;
  } catch (error) {
    const isUnsaid = error instanceof TargetError && NOT_SAID.has(error.kind);
    if (isUnsaid) return undefined;
    throw error;
  }
}

function isSupported(value: unknown, unsaid: boolean): boolean {
  const said = typeof value === 'object' && value !== null && 'supported' in value ? value.supported : undefined;
  return typeof said === 'boolean' ? said : unsaid;
}

function bulkOf(value: unknown): Capabilities['bulk'] {
  if (!isSupported(value, false)) return undefined;
  const { maxOperations, maxPayloadSize } = value as Record<string, unknown>;
  const number = (given: unknown, unsaid: number): number => (typeof given === 'number' && given > 0 ? given : unsaid);
  return { maxOperations: number(maxOperations, 100), maxPayloadSize: number(maxPayloadSize, 1_000_000) };
}

function typesOf(body: Payload | undefined): readonly ResourceType[] | null {
  const list = body?.['Resources'];
  if (!Array.isArray(list)) return null;
  const names = list.map((item) =>
    typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined,
  );
  return (['User', 'Group'] as const).filter((type) => names.includes(type));
}
