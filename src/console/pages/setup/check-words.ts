import { words } from '../../app/i18n.ts';

/** Checks of a connection test by the names that the gateway gives them. */
export const CHECKS = words({
  settings: ['Settings', '설정'],
  token: ['Token', '토큰'],
  permissions: ['Permissions', '권한'],
  tenant: ['Tenant', '테넌트'],
  domains: ['Domains', '도메인'],
  connect: ['Connection', '연결'],
  'read-users': ['Reading users', '사용자 읽기'],
  'read-groups': ['Reading groups', '그룹 읽기'],
  'read-members': ['Reading members', '구성원 읽기'],
  'mailbox-user': ['Mailbox details', '사서함 정보'],
  'selected-group': ['Picked group', '선택한 그룹'],
  find: ['Finding the files', '파일 찾기'],
  read: ['Reading the files', '파일 읽기'],
  columns: ['Columns', '열'],
  scope: ['Scope', '범위'],
  writes: ['Last write', '마지막 쓰기'],
  mail: ['Mail', '메일'],
  webhook: ['Webhook', '웹후크'],
});
