import { words } from '../../app/i18n.ts';

export const MAPPING = words({
  lead: [
    'Where each attribute comes from. Your own rules go before the ones that are built in.',
    '각 특성의 출처입니다. 직접 만든 규칙이 기본 규칙보다 우선합니다.',
  ],
  own: ['Your rules', '내 규칙'],
  none: ['No rule of your own; the ones built in are used.', '직접 만든 규칙이 없어 기본 규칙을 사용합니다.'],
  target: ['Attribute', '특성'],
  how: ['From', '출처'],
  source: ['A field', '필드'],
  constant: ['A fixed text', '고정 텍스트'],
  expression: ['An expression', '식'],
  value: ['Which', '값'],
  apply: ['When', '시점'],
  always: ['Always', '항상'],
  onCreate: ['Only when somebody is created', '생성할 때만'],
  force: ['Rules in force', '적용 중인 규칙'],
  builtIn: ['Built in', '기본'],
  yours: ['Yours', '내 규칙'],
  tryTitle: ['Try it on a person', '사용자에게 시험'],
  person: ['User name, address or id in the source', '소스의 사용자 이름, 주소 또는 ID'],
  tryDo: ['Try', '시험'],
  seen: ['Seen', '원본'],
  result: ['Becomes', '결과'],
  skipped: ['This person would be left out', '이 사용자는 제외됩니다'],
});
