import type { Platform } from "../assigned/platform.ts";
import { shownPlatform } from "../assigned/platform.ts";
import { quoted } from "../../base/printable.ts";

/** How many leading bytes of an artifact `readExecutable` needs to see. */
export const HEAD_BYTES = 65_536;

/**
 * What the kernel would make of a file: the program that it hands it to (`interpreter`: a script's, or the dynamic
 * loader of an ELF file; null for none), or the reason why it would not run it at all.
 */
export type Executable =
  | { readonly runs: true; readonly interpreter: string | null }
  | { readonly runs: false; readonly why: string };

type Machine = { readonly machine: number; readonly bits: 32 | 64; readonly big: boolean };

/** e_machine, class and byte order, from the ELF specification and its processor supplements. */
const ELF: Readonly<Record<string, Machine>> = {
  amd64: { machine: 62, bits: 64, big: false },
  arm64: { machine: 183, bits: 64, big: false },
  "386": { machine: 3, bits: 32, big: false },
  arm: { machine: 40, bits: 32, big: false },
  riscv64: { machine: 243, bits: 64, big: false },
  ppc64le: { machine: 21, bits: 64, big: false },
  s390x: { machine: 22, bits: 64, big: true },
};

/** cputype of a 64-bit Mach-O file. */
const MACH_O: Readonly<Record<string, number>> = { amd64: 0x0100_0007, arm64: 0x0100_000c };

/** Reads the head of an artifact that shall run on `platform`: a wrong one fails here, not at its first start. */
export function readExecutable(head: Uint8Array, platform: Platform): Executable {
  const bytes = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length === 0) return no("it is empty");
  if (platform.os === "windows") {
    return startsWith(head, "MZ") ? { runs: true, interpreter: null } : no("it is no Windows program");
  }
  if (startsWith(head, "#!")) return script(head);
  if (startsWith(head, "\u001f\u008b")) return no("it is a gzip file and no program");
  if (platform.os === "darwin") return machO(bytes, platform);
  if (!startsWith(head, "\u007fELF")) return no(`it is neither an ELF program nor a script with "#!"`);
  return elf(bytes, platform);
}

function script(head: Uint8Array): Executable {
  // Linux reads no more of a script.
  const [line = ""] = new TextDecoder().decode(head.subarray(2, 256)).split("\n");
  // Nor does it leave out more than these: a carriage return is a part of the name.
  const interpreter = line.split(/[ \t]/u).find((part) => part !== "") ?? "";
  if (!interpreter.startsWith("/")) return no(`its "#!" line names no absolute path, found ${quoted(line)}`);
  return { runs: true, interpreter };
}

function elf(bytes: DataView, platform: Platform): Executable {
  const wanted = ELF[platform.arch];
  if (wanted === undefined) return no(`waybill does not know ELF programs of ${shownPlatform(platform)}`);
  if (bytes.byteLength < 64) return no("its ELF header is cut off");
  const bits = bytes.getUint8(4) === 2 ? 64 : 32;
  const big = bytes.getUint8(5) === 2;
  const machine = bytes.getUint16(18, !big);
  if (machine !== wanted.machine || bits !== wanted.bits || big !== wanted.big) {
    const known = Object.entries(ELF).find(
      ([, m]) => m.machine === machine && m.bits === bits && m.big === big,
    );
    return no(
      `it is an ELF program for ${known?.[0] ?? `machine ${machine}, ${bits} bits`}, not for ${platform.arch}`,
    );
  }
  const type = bytes.getUint16(16, !big);
  // ET_EXEC and ET_DYN (position independent); an object file or a core dump does not run.
  if (type !== 2 && type !== 3) return no("it is an ELF file and no program");
  return { runs: true, interpreter: loaderOf(bytes, bits === 64, !big) };
}

/** The path in the PT_INTERP segment; null for a static program, or when the segment lies beyond the head. */
function loaderOf(bytes: DataView, wide: boolean, little: boolean): string | null {
  const table = wide ? Number(bytes.getBigUint64(32, little)) : bytes.getUint32(28, little);
  const size = bytes.getUint16(wide ? 54 : 42, little);
  const count = bytes.getUint16(wide ? 56 : 44, little);
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (at + 56 > bytes.byteLength) return null;
    if (bytes.getUint32(at, little) !== 3) continue;
    const offset = wide ? Number(bytes.getBigUint64(at + 8, little)) : bytes.getUint32(at + 4, little);
    const length = wide ? Number(bytes.getBigUint64(at + 32, little)) : bytes.getUint32(at + 16, little);
    if (length < 2 || length > 4096 || offset + length > bytes.byteLength) return null;
    // Without the NUL at its end.
    return new TextDecoder().decode(new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length - 1));
  }
  return null;
}

function machO(bytes: DataView, platform: Platform): Executable {
  if (bytes.byteLength < 8) return no("it is too short for a program");
  // A universal file holds several processors; macOS picks.
  if (bytes.getUint32(0) === 0xcafe_babe) return { runs: true, interpreter: null };
  const fits = bytes.getUint32(0, true) === 0xfeed_facf && bytes.getUint32(4, true) === MACH_O[platform.arch];
  return fits ? { runs: true, interpreter: null } : no(`it is no Mach-O program for ${platform.arch}`);
}

function startsWith(head: Uint8Array, magic: string): boolean {
  return Array.from(magic).every((c, index) => head[index] === c.charCodeAt(0));
}

function no(why: string): Executable {
  return { runs: false, why };
}
