// What holds for PATCH of any user by any operations; test/core/patch.test.ts has the cases one by one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Attribute } from '#core/attributes.ts';
import type { Document } from '#core/coerce.ts';
import { InputError } from '#core/errors.ts';
import { applyPatch, parsePatch } from '#core/patch.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { anyDocument, anyValue, assertConforms } from '../support/documents.ts';
import { patchBody } from '../support/scim.ts';

const { User } = RESOURCE_SCHEMAS;
type Operation = { op: string; path?: string; value?: unknown };

const attributesByPath = new Map<string, Attribute>();
for (const { id, attributes } of [User.core, ...User.extensions])
  for (const attribute of attributes.values()) {
    const path = id === USER_SCHEMA ? attribute.name : `${id}:${attribute.name}`;
    attributesByPath.set(path, attribute);
    for (const sub of attribute.sub.values()) attributesByPath.set(`${path}.${sub.name}`, sub);
  }

const anyUser = anyDocument(User, { withReadOnly: true });
const anyPath = fc.constantFrom(...attributesByPath.keys());
/** A path of any shape, and a value that it may have, or one that it may not. */
const anyOperation: fc.Arbitrary<Operation> = anyPath.chain((path) => {
  const attribute = attributesByPath.get(path);
  const chosen = fc.constantFrom(
    'type eq "Ada"',
    'primary eq true',
    'value pr',
    'not (type pr)',
    'type eq "z" and primary eq false',
  );
  const shaped = attribute?.multiValued
    ? fc.oneof(
        fc.constant(path),
        fc
          .tuple(chosen, fc.constantFrom('', '.value', '.type', '.primary'))
          .map(([filter, sub]) => `${path}[${filter}]${sub}`),
      )
    : fc.constant(path);
  const good = attribute === undefined ? fc.constant(null) : anyValue(attribute);
  return fc.record({
    op: fc.constantFrom('add', 'replace', 'remove', 'Add', 'Replace', 'Remove'),
    path: shaped,
    value: fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) }),
  });
});
const SCIM_TYPES: ReadonlySet<string | undefined> = new Set([
  'invalidPath',
  'noTarget',
  'mutability',
  'invalidValue',
  'invalidSyntax',
]);

describe('PATCH of any user', () => {
  it('gives a valid user or refuses, and leaves the one it was given as it was', () => {
    fc.assert(
      fc.property(anyUser, fc.array(anyOperation, { minLength: 1, maxLength: 5 }), (before, operations) => {
        const kept = structuredClone(before);
        try {
          const { document, members } = applyPatch(User, before, parsePatch(patchBody(...operations)));
          assertConforms(User, document);
          assert.deepEqual(document[GATEWAY_SCHEMA], before[GATEWAY_SCHEMA]);
          assert.deepEqual(members, []);
        } catch (error) {
          assert.ok(error instanceof InputError && SCIM_TYPES.has(error.scimType), String(error));
        }
        assert.deepEqual(before, kept);
      }),
      { numRuns: 1_000 },
    );
  });

  it('changes nothing when it says what is so', () => {
    fc.assert(
      fc.property(anyUser, fc.constantFrom('add', 'replace', 'Replace'), (before, op) => {
        const { [GATEWAY_SCHEMA]: _readOnly, ...own } = before;
        const whole = applyPatch(User, before, parsePatch(patchBody({ op, value: own })));
        assert.deepEqual(whole.document, before);
        for (const [path, value] of Object.entries(own)) {
          const one = applyPatch(User, before, parsePatch(patchBody({ op, path, value })));
          assert.deepEqual(one.document, before, path);
        }
      }),
    );
  });

  it('done twice is done once', () => {
    fc.assert(
      fc.property(anyUser, anyOperation, (before, operation) => {
        const operations = parsePatch(patchBody({ ...operation, value: operation.value ?? 'x' }));
        let once: Document;
        try {
          once = applyPatch(User, before, operations).document;
        } catch {
          return;
        }
        // A value that was chosen by what is now changed can no longer be found: RFC 7644 section 3.5.2.3 wants noTarget.
        if (operation.path?.includes('[') && operation.op !== 'remove') return;
        assert.deepEqual(applyPatch(User, once, operations).document, once);
      }),
      { numRuns: 1_000 },
    );
  });

  it('reaches any user from any other, by replacing and removing', () => {
    fc.assert(
      fc.property(anyUser, anyUser, (from, to) => {
        const operations: Operation[] = [];
        for (const { id, attributes } of [User.core, ...User.extensions])
          for (const { name, mutability, required } of attributes.values()) {
            if (mutability === 'readOnly' || name === 'schemas') continue;
            const path = id === USER_SCHEMA ? name : `${id}:${name}`;
            const holder = id === USER_SCHEMA ? to : (to[id] as Document | undefined);
            if (!required) operations.push({ op: 'remove', path });
            if (holder?.[name] !== undefined) operations.push({ op: 'replace', path, value: holder[name] });
          }
        const { document } = applyPatch(User, from, parsePatch(patchBody(...operations)));
        const { [GATEWAY_SCHEMA]: _theirs, ...wanted } = to;
        const { [GATEWAY_SCHEMA]: _ours, ...got } = document;
        assert.deepEqual({ ...got, schemas: [] }, { ...withoutManagerName(wanted), schemas: [] });
      }),
    );
  });
});

/** The manager's name is for the service to set, so that no client can bring it. */
function withoutManagerName(document: Document): Document {
  const { [ENTERPRISE_SCHEMA]: enterprise, ...rest } = document as Document & { [ENTERPRISE_SCHEMA]?: Document };
  if (enterprise === undefined) return rest;
  const { manager, ...others } = enterprise as { manager?: Document };
  const { displayName: _name, ...left } = manager ?? {};
  const kept = { ...others, ...(Object.keys(left).length === 0 ? {} : { manager: left }) };
  return Object.keys(kept).length === 0 ? rest : { ...rest, [ENTERPRISE_SCHEMA]: kept };
}
