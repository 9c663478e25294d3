import { ENTERPRISE_SCHEMA, type UserResource } from './resource.ts';

/** Whom a person has as manager: by the provider's id in its own form, by ours in the directory. */
export function managerOf(resource: UserResource | undefined): string | undefined {
  return resource?.[ENTERPRISE_SCHEMA]?.manager?.value;
}

/** The provider's form as the directory serves it: the manager by our id, and without one who is not there. */
export function withManager(resource: UserResource, managerId: string | undefined): UserResource {
  const enterprise = resource[ENTERPRISE_SCHEMA];
  if (enterprise?.manager === undefined) return resource;
  const { manager: _manager, ...others } = enterprise;
  if (managerId !== undefined)
    return { ...resource, [ENTERPRISE_SCHEMA]: { ...others, manager: { value: managerId } } };
  if (Object.keys(others).length > 0) return { ...resource, [ENTERPRISE_SCHEMA]: others };
  const { [ENTERPRISE_SCHEMA]: _enterprise, ...rest } = resource;
  return { ...rest, schemas: rest.schemas.filter((schema) => schema !== ENTERPRISE_SCHEMA) };
}
