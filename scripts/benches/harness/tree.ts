/**
 * Plants one tree of files, the same at every run: FOLDER SHAPE. A process of its own, for the memory that it takes.
 */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Sizes are log-normal, as in real source trees. */
type Shape = {
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly medianBytes: number;
  /** The standard deviation of the sizes' logarithm: how much larger the large ones are. */
  readonly spread: number;
};

const SHAPES: Readonly<Record<string, Shape>> = {
  small: { files: 200, folders: 60, links: 2, medianBytes: 1800, spread: 1.6 },
  medium: { files: 6_700, folders: 2_200, links: 10, medianBytes: 1600, spread: 1.6 },
  large: { files: 83_700, folders: 21_000, links: 80, medianBytes: 640, spread: 2.5 },
};
const LARGEST_FILE = 16 * 2 ** 20;
const DEEPEST = 9;
const HUGE = { files: 4, bytes: 512 * 2 ** 20, step: 2 ** 22 };

const [, , root = "", name = ""] = process.argv;
const shape = SHAPES[name] ?? scaled(Number(name));
mkdirSync(root, { recursive: true });
if (name === "huge") plantHuge();
else if (shape !== null) plant(shape);
else throw new Error(`usage: tree.ts FOLDER ${Object.keys(SHAPES).join("|")}|huge|FILES`);

/** A tree like the medium one, of another size. */
function scaled(files: number): Shape | null {
  if (!Number.isInteger(files) || files < 1) return null;
  return { files, folders: Math.ceil(files / 3), links: 0, medianBytes: 1600, spread: 1.6 };
}

function plant({ files, folders: wanted, links, medianBytes, spread }: Shape): void {
  const pool = realBytes();
  const random = generator(files);
  const folders = [""];
  while (folders.length < wanted) {
    const parent = folders[Math.floor(random() * folders.length)] ?? "";
    if (parent.split("/").length < DEEPEST) folders.push(`${parent}${word(random)}-${folders.length}/`);
  }
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  const anyFolder = (): string => folders[Math.floor(random() * folders.length)] ?? "";
  const endings = [".ts", ".py", ".md", ".json", ".go", ".c", ".h", ".svg", ""];
  for (let index = 0; index < files; index++) {
    const ending = endings[Math.floor(random() * endings.length)] ?? "";
    const place = join(root, anyFolder(), `${word(random)}_${index}${ending}`);
    const size = Math.min(LARGEST_FILE, Math.floor(medianBytes * Math.exp(spread * normal(random))));
    writeFileSync(place, cut(pool, Math.floor(random() * pool.length), size));
    if (random() < 0.05) chmodSync(place, 0o755);
  }
  for (let index = 0; index < links; index++) {
    symlinkSync(`${word(random)}_${index}.ts`, join(root, anyFolder(), `link-${index}`));
  }
}

function plantHuge(): void {
  const pool = realBytes();
  for (let file = 0; file < HUGE.files; file++) {
    for (let length = 0; length < HUGE.bytes; length += HUGE.step) {
      appendFileSync(join(root, `image-${file}`), cut(pool, (file + 1) * 7919 + length, HUGE.step));
    }
  }
}

/** Sources and a program that the lock file names, so that compression finds what it finds in a real tree. */
function realBytes(): Buffer {
  const modules = join(import.meta.dir, "../../../node_modules");
  const sources = new Bun.Glob("{typescript,knip,zod,fast-check,@nats-io,bun-types}/**/*.{js,ts,md,json}");
  const pieces = [...sources.scanSync({ cwd: modules, onlyFiles: true })]
    .sort()
    .map((path) => readFileSync(join(modules, path)));
  const program = readFileSync(process.execPath).subarray(2 ** 25, 2 ** 25 + 2 ** 22);
  return Buffer.concat([...pieces, program]);
}

function cut(pool: Buffer, at: number, size: number): Buffer {
  const start = at % pool.length;
  const piece = pool.subarray(start, start + size);
  return piece.length === size ? piece : Buffer.concat([piece, cut(pool, 0, size - piece.length)]);
}

function word(random: () => number): string {
  const syllables = "ar bel con der en fil gra hol ix jor kel lam mod net ob par".split(" ");
  const syllable = (): string => syllables[Math.floor(random() * syllables.length)] ?? "";
  return syllable() + syllable() + (random() < 0.5 ? syllable() : "");
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A small generator with a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
