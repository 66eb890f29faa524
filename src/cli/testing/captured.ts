/** Runs the command line in this process, in a folder of its own, and keeps what it wrote. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../cli.ts";
import type { Io } from "../io.ts";

export interface Captured {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), "trial-"));
  #interrupt: () => void = () => {};

  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  /** As Ctrl-C, when something listens. */
  interrupt(): void {
    this.#interrupt();
  }

  async trial(...argv: string[]): Promise<Captured> {
    let out = "";
    let err = "";
    const io: Io = {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      terminal: false,
      colour: false,
      cwd: this.path,
      onInterrupt: (listener) => {
        this.#interrupt = listener;
        return () => {};
      },
      now: () => performance.now(),
    };
    const code = await runCli(argv, io);
    return { code, out, err };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
