import type { Values } from "../cli/flags.ts";

/** How `promote` signs receipts. */
export const RECEIPT_FLAGS = {
  "receipt-key": {
    type: "string",
    valueHint: "FILE|-",
    description: "a private key: every proven pin gets a signed receipt, which the control plane keeps",
  },
  "receipt-key-env": {
    type: "string",
    valueHint: "VAR",
    description: "the environment variable that holds that key",
  },
  "receipt-key-fd": {
    type: "string",
    valueHint: "N",
    description: "an open descriptor to read that key from",
  },
  "passphrase-file": {
    type: "string",
    valueHint: "FILE",
    description: "the passphrase of an encrypted receipt key, one line",
  },
  "passphrase-fd": {
    type: "string",
    valueHint: "N",
    description: "the same from an open descriptor",
  },
  "receipt-out": {
    type: "string",
    valueHint: "FILE",
    description: "also write each receipt as a line of this file",
  },
} as const;

/** How `verify pin` and `verify audit` ask for them. */
export const REQUIRE_RECEIPT_FLAG = {
  "require-receipt": {
    type: "boolean",
    description: "a pin must have a signed receipt for the change that put it there; needs --key or --trust",
  },
} as const;

export type ReceiptFlags = Values<typeof RECEIPT_FLAGS>;

/** Whether a flag was given that says anything about receipts. */
export function namesReceipts(flags: ReceiptFlags): boolean {
  const given: Readonly<Record<string, unknown>> = flags;
  for (const name in RECEIPT_FLAGS) if (given[name] !== undefined) return true;
  return false;
}
