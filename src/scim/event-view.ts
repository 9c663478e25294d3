// What a receiver of events sees: the same as its token does when it reads.
import type { Document } from '#core/coerce.ts';
import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import { foldCase } from '#core/search.ts';
import type { Visible } from '#store/directory/served.ts';
import { makeProjection } from './projection.ts';
import { viewOf } from './view.ts';

/** The directory as an app is told of it. @throws {InputError} what `viewOf` throws */
export function eventViewOf(scope: AppScope | null): {
  readonly visible: Visible | undefined;
  sees(type: ResourceType, attribute: string): boolean;
  cut(type: ResourceType, resource: Document): Document;
} {
  const view = viewOf(scope);
  return {
    visible: view.visible,
    sees(type, name) {
      const { core, extensions } = view.schemas[type];
      const extension = extensions.find(({ id }) => foldCase(id) === foldCase(name));
      return extension === undefined ? core.attributes.has(foldCase(name)) : extension.attributes.size > 0;
    },
    cut(type, resource) {
      const projection = makeProjection(view, type, {});
      return projection.whole ? resource : projection.apply(resource);
    },
  };
}
