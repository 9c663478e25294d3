import type { Document } from '#core/coerce.ts';
import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import type { Visible } from '#store/directory/served.ts';

/** The directory as the receiver of events sees it: the same that its tokens read. */
export interface EventView {
  /** Whom it sees; absent when it sees everybody. */
  readonly visible: Visible | undefined;
  /** Whether it sees anything of an attribute, named as it stands in a resource: `emails`, or the URN of an extension. */
  sees(type: ResourceType, attribute: string): boolean;
  /** What it sees of a resource. */
  cut(type: ResourceType, resource: Document): Document;
}

export type EventViewOf = (scope: AppScope | null) => EventView;
