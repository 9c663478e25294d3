import { ArrowDownToLine, ArrowUpFromLine, KeyRound, Webhook } from 'lucide-react';

/** A sign for each way in which an app is reached. */
export const CHANNEL_ICONS = {
  push: ArrowUpFromLine,
  webhook: Webhook,
  events: KeyRound,
  token: ArrowDownToLine,
} as const;
