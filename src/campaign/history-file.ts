/** History files: NDJSON in, line by line; NDJSON or Jepsen's EDN out, by the file's ending. */
import { closeSync, existsSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { HistoryFormatError, HistoryReader, type Op, writeOp } from "../checks/history.ts";
import { writeEdnOp } from "../checks/history-edn.ts";
import { UsageError } from "./usage-error.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;
/** Text is written in parts: a long history is longer than a string may be. */
const OPS_PER_PART = 10_000;

/** Throws UsageError with file, line and field when it is no history. */
export function readHistoryFile(argument: string, cwd: string): Op[] {
  const path = resolve(cwd, argument);
  if (!existsSync(path)) throw new UsageError(`${argument}: no such history file`);
  if (statSync(path).isDirectory()) {
    throw new UsageError(`${argument}: expected a history file, found a folder`);
  }
  if (path.endsWith(".edn")) {
    throw new UsageError(`${argument}: expected NDJSON, one op per line; EDN is only written`);
  }
  const reader = new HistoryReader();
  try {
    eachLine(path, (line) => reader.line(line));
  } catch (error) {
    if (!(error instanceof HistoryFormatError)) throw error;
    throw new UsageError(`${argument}: ${error.message}`);
  }
  return reader.ops;
}

function eachLine(path: string, visit: (line: string) => void): void {
  const file = openSync(path, "r");
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const decoder = new StringDecoder("utf8");
    let rest = "";
    for (;;) {
      const length = readSync(file, chunk, 0, CHUNK_BYTES, null);
      const text = length === 0 ? decoder.end() : decoder.write(chunk.subarray(0, length));
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) visit(line);
      if (length === 0) break;
    }
    if (rest !== "") visit(rest);
  } finally {
    closeSync(file);
  }
}

/** Throws UsageError when the file cannot be written. */
export function writeHistoryFile(argument: string, cwd: string, ops: readonly Op[]): void {
  const write = argument.endsWith(".edn") ? writeEdnOp : writeOp;
  try {
    const path = resolve(cwd, argument);
    writeFileSync(path, "");
    for (let from = 0; from < ops.length; from += OPS_PER_PART) {
      const part = ops.slice(from, from + OPS_PER_PART).map((op) => `${write(op)}\n`);
      writeFileSync(path, part.join(""), { flag: "a" });
    }
  } catch (error) {
    throw new UsageError(`--history ${argument}: cannot be written: ${(error as Error).message}`);
  }
}
