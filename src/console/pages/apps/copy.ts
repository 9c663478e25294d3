import { toast } from '../../ui/toast.tsx';

/** Puts a text on the clipboard, and says so. */
export async function copy(text: string, said: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  toast(said);
}
