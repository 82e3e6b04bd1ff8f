/** What differs between architectures in the kernel's interface: numbers, and where `struct stat` has the mode. */
export type Architecture = {
  readonly openat2: number;
  readonly read: number;
  readonly close: number;
  readonly fstat: number;
  readonly getdents64: number;
  readonly readlinkat: number;
  readonly modeAt: number;
  readonly O_DIRECTORY: number;
  readonly O_NOFOLLOW: number;
};

const X64: Architecture = {
  openat2: 437,
  read: 0,
  close: 3,
  fstat: 5,
  getdents64: 217,
  readlinkat: 267,
  modeAt: 24,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
};
const ARM64: Architecture = {
  openat2: 437,
  read: 63,
  close: 57,
  fstat: 80,
  getdents64: 61,
  readlinkat: 78,
  modeAt: 16,
  O_DIRECTORY: 0o40000,
  O_NOFOLLOW: 0o100000,
};
/** By the name that the runtime has for them. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: X64, arm64: ARM64 };
