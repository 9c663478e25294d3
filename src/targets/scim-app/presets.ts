// What is known of services that take SCIM: each preset is what differs from the defaults, and is overridden by whatever
// the settings say. Sources: the vendors' public pages named beside each, checked 2026-11.
export const PRESETS: Readonly<
  Record<string, { readonly title: string; readonly settings: Readonly<Record<string, unknown>> }>
> = {
  // docs.slack.dev/reference/scim-api/rate-limits: all SCIM apps of an organisation share the limits.
  slack: {
    title: 'Slack',
    settings: {
      pace: { concurrency: 2, readsPerSecond: 4, writesPerSecond: 2 },
      members: { perRequest: 500 },
      mapping: { User: [{ to: 'emails', from: 'emails', required: true }] },
    },
  },
  // GitHub Docs, "Provisioning users and groups with SCIM using the REST API": a User-Agent, users before groups, one
  // writer only, at most 1,000 users an hour.
  'github-emu': {
    title: 'GitHub Enterprise Managed Users',
    settings: {
      pace: { concurrency: 1, writesPerSecond: 0.25 },
      deprovision: { sourceDeleted: 'deactivate', outOfScope: 'deactivate', deleteAfterDays: null },
    },
  },
  // docs.gitlab.com, SCIM API: only `id eq` is filtered on groups; a PATCH knows few attributes.
  gitlab: {
    title: 'GitLab',
    settings: { types: ['User'], matching: { User: ['externalId', 'userName'] }, dialect: { onePerRequest: true } },
  },
  // docs.aws.amazon.com, IAM Identity Center developer guide, limitations of the SCIM implementation.
  'aws-identity-center': {
    title: 'AWS IAM Identity Center',
    settings: {
      singleValued: ['emails', 'phoneNumbers', 'addresses'],
      exclude: ['photos', 'ims', 'x509Certificates', 'entitlements'],
      matching: { User: ['externalId', 'userName'], Group: ['displayName'] },
      members: { perRequest: 100, hidden: true },
      dialect: { groups: 'patch', onePerRequest: true, pageSize: 50 },
      pace: { concurrency: 2, writesPerSecond: 5 },
    },
  },
  // developer.atlassian.com, user provisioning: pages of 100; a deletion unlinks for good.
  atlassian: {
    title: 'Atlassian',
    settings: { dialect: { pageSize: 100 }, deprovision: { sourceDeleted: 'deactivate', deleteAfterDays: null } },
  },
  // developers.zoom.us, SCIM2: Accept must be application/scim+json.
  zoom: {
    title: 'Zoom',
    settings: { dialect: { contentType: 'application/scim+json' }, pace: { concurrency: 2, writesPerSecond: 5 } },
  },
  // docs.snowflake.com, SCIM: no multi-valued attributes of users.
  snowflake: {
    title: 'Snowflake',
    settings: {
      singleValued: ['emails', 'phoneNumbers', 'addresses'],
      matching: { User: ['userName'], Group: ['displayName'] },
    },
  },
  // docs.databricks.com, SCIM 2.1.
  databricks: {
    title: 'Databricks',
    settings: {
      matching: { User: ['userName'], Group: ['displayName'] },
      pace: { concurrency: 2, writesPerSecond: 5 },
    },
  },
  // help.salesforce.com, SCIM: users are never deleted.
  salesforce: {
    title: 'Salesforce',
    settings: {
      deprovision: { sourceDeleted: 'deactivate', outOfScope: 'deactivate', deleteAfterDays: null },
      matching: { User: ['userName'], Group: ['displayName'] },
    },
  },
  servicenow: { title: 'ServiceNow', settings: { pace: { concurrency: 2 } } },
  // Grafana documentation, SCIM: externalId must be the SAML identifier; map it accordingly.
  grafana: { title: 'Grafana', settings: { externalId: 'externalId' } },
  // help.zscaler.com/zia and /zidentity, SCIM API: 5 requests a second, 50 for ZIdentity.
  'zscaler-zia': {
    title: 'Zscaler ZIA',
    settings: { pace: { concurrency: 2, readsPerSecond: 2.5, writesPerSecond: 2.5 } },
  },
  'zscaler-zidentity': {
    title: 'Zscaler ZIdentity',
    settings: { pace: { concurrency: 4, readsPerSecond: 25, writesPerSecond: 25 } },
  },
  // developers.miro.com, rate limits.
  miro: { title: 'Miro', settings: { members: { perRequest: 20 }, pace: { concurrency: 1, writesPerSecond: 0.16 } } },
  // docs.verify.ibm.com: 2,500 member changes a request.
  'ibm-verify': { title: 'IBM Verify', settings: { members: { perRequest: 2_500 } } },
  // developer.hashicorp.com, SCIM: filters on displayName and externalId only, pages of at most 200.
  'hcp-terraform': {
    title: 'HCP Terraform',
    settings: { matching: { Group: ['displayName', 'externalId'] }, dialect: { pageSize: 200 } },
  },
  dropbox: { title: 'Dropbox', settings: { pace: { concurrency: 2 } } },
  box: { title: 'Box', settings: { pace: { concurrency: 2 } } },
  // Tried with @boxyhq/saml-jackson 26.2: a PATCH splits a URN at its dot and loses the attributes of an extension, and no
  // answer shows members.
  polis: {
    title: 'Polis (SAML Jackson)',
    settings: { dialect: { users: 'put' }, members: { hidden: true } },
  },
  // Another gateway of this kind.
  sluice: { title: 'Sluice', settings: { pace: { concurrency: 8 }, members: { perRequest: 1_000 }, bulk: true } },
};

/** What a caller gave, over what the preset says, field by field; lists are taken whole. */
export function withPreset(value: unknown): unknown {
  const name = isRecord(value) ? value['preset'] : undefined;
  const preset = typeof name === 'string' ? PRESETS[name] : undefined;
  return preset === undefined ? value : merge(preset.settings, value);
}

function merge(under: unknown, over: unknown): unknown {
  if (!isRecord(under) || !isRecord(over)) return over === undefined ? under : over;
  const names = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries([...names].map((name) => [name, merge(under[name], over[name])]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
