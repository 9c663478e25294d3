// A message without the resource that it carried: for a receiver that may not see all of it any more.

/** Whether something named so may still be told. */
export type Sees = (attribute: string) => boolean;

/** The same webhook, with no more than names of attributes. */
export function thinWebhook(body: string, sees: Sees): string {
  const { data, ...rest } = JSON.parse(body);
  const { externalId, attributes, resource: _resource, ...more } = data;
  const names = seenOf(attributes ?? [], sees);
  return JSON.stringify({
    ...rest,
    data: {
      ...more,
      ...(externalId === undefined || !sees('externalId') ? {} : { externalId }),
      ...(names.length === 0 ? {} : { attributes: names }),
    },
  });
}

/** The same claims, with a notice where there was a resource (RFC 9967 section 2.4). */
export function thinClaims(claims: string, sees: Sees): string {
  const { sub_id, events, ...rest } = JSON.parse(claims);
  const { externalId, ...subject } = sub_id;
  const isTold = externalId !== undefined && sees('externalId');
  return JSON.stringify({
    ...rest,
    sub_id: isTold ? { ...subject, externalId } : subject,
    events: Object.fromEntries(Object.entries(events).map(([uri, said]) => thinStatement(uri, said, sees))),
  });
}

function thinStatement(uri: string, said: unknown, sees: Sees): readonly [string, unknown] {
  const { data, attributes, ...more } = said as { readonly data?: object; readonly attributes?: readonly string[] };
  if (data === undefined)
    return [uri, attributes === undefined ? said : { attributes: seenOf(attributes, sees), ...more }];
  const names = attributesAmong(Object.keys(data));
  return [
    uri.replace(':put:full', ':patch:notice').replace(':create:full', ':create:notice'),
    { attributes: seenOf(names, sees), ...more },
  ];
}

/** Names within a resource, without those that every resource has and that do not change. */
export function attributesAmong(names: readonly string[]): readonly string[] {
  return names.filter((name) => !ALWAYS.has(name));
}

const ALWAYS = new Set(['schemas', 'id', 'meta']);

function seenOf(names: readonly string[], sees: Sees): readonly string[] {
  return names.filter(sees);
}
